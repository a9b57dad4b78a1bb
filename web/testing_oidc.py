"""For tests: an identity provider of our own, whose every answer can be spoiled.

It speaks real HTTP and checks code, redirect address and verifier as a provider must. Tokens are
signed by hand, because libraries refuse to make most of what a hostile provider sends.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc.jwk import RSAKey

CLIENT = "lamplight"
HOST = "127.0.0.1"

Claims = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


@cache
def provider_key() -> RSAKey:
    """What an honest token is signed with."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


@cache
def stranger_key() -> RSAKey:
    """Another key, which calls itself by the same name."""
    return RSAKey.generate_key(2048, {"kid": "one"})


def sign(claims: Any, header: Claims | None = None, key: Any = None) -> str:
    """A token of the provider's, or of whoever has the key; no library says what cannot be."""
    full = {"alg": "RS256", "typ": "JWT", "kid": "one", **(header or {})}
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    message = f"{encode(full)}.{base64url(payload.encode())}"
    if full["alg"] == "HS256":
        return f"{message}.{base64url(hmac.digest(key, message.encode(), 'sha256'))}"
    kind = hashes.SHA384() if full["alg"] == "RS384" else hashes.SHA256()
    private: Any = (key or provider_key()).private_key
    signature = private.sign(message.encode(), padding.PKCS1v15(), kind)
    return f"{message}.{base64url(signature)}"


def base64url(content: bytes) -> str:
    """As tokens are written."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def encode(value: Any) -> str:
    """A part of a token."""
    return base64url(json.dumps(value).encode())


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


@dataclass
class Issuer:
    """An identity provider whose every answer a test can spoil."""

    url: str = ""
    mint: Callable[[Claims], Any] = sign
    published: list[Claims] = field(default_factory=lambda: [provider_key().as_dict(private=False)])
    description: Claims = field(default_factory=dict)
    token_answer: Callable[[str], Answer] | None = None
    codes: dict[str, Claims] = field(default_factory=dict)
    person: Claims = field(default_factory=lambda: {"sub": "ada", "name": "Ada Lovelace"})
    approved: int = 0
    asked: list[str] = field(default_factory=list)
    hold: Event | None = None
    silent: bool = False

    def approve(self, query: dict[str, str], signed_in_at: float | None = None) -> str:
        """What the provider's own page does once somebody has signed in there.

        signed_in_at: that they did it before, and were not asked again.
        """
        self.approved += 1
        self.codes[f"code-{self.approved}"] = {
            **query,
            "auth_time": time.time() if signed_in_at is None else signed_in_at,
        }
        return f"code-{self.approved}"

    def claims(self, nonce: str, auth_time: float = 0.0) -> Claims:
        """The claims of an honest token."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "auth_time": auth_time,
            **self.person,
        }

    def get(self, path: str) -> Answer:
        """Discovery and keys."""
        if path == "/.well-known/openid-configuration":
            return json_answer(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/jwks",
                    **self.description,
                }
            )
        return json_answer({"keys": self.published})

    def post(self, form: dict[str, str]) -> Answer:
        """The token endpoint: each code once, for who holds the verifier."""
        begun = self.codes.pop(form.get("code", ""), None)
        challenge = sha256(form.get("code_verifier", "").encode()).digest()
        if (
            begun is None
            or form.get("client_id", CLIENT) != CLIENT
            or form.get("redirect_uri") != begun["redirect_uri"]
            or begun["code_challenge_method"] != "S256"
            or begun["code_challenge"] != base64url(challenge)
        ):
            return json_answer({"error": "invalid_grant"}, 400)
        token = self.mint(self.claims(begun["nonce"], begun["auth_time"]))
        if self.token_answer is not None:
            return self.token_answer(token)
        return json_answer(token_response(token))


def token_response(token: Any) -> Claims:
    """What a token endpoint says."""
    return {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token}


@contextmanager
def serving(issuer: Issuer) -> Iterator[Issuer]:
    """The provider on a real port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Discovery and keys."""
            issuer.asked.append(self.path)
            self._send(issuer.get(self.path))

        def do_POST(self) -> None:
            """The token endpoint."""
            issuer.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if issuer.hold is not None:
                issuer.hold.wait(30)
            self._send(issuer.post(dict(parse_qsl(body))))

        def _send(self, answer: Answer) -> None:
            if issuer.silent:
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError:
                # The other side may stop reading what is too much for it.
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    issuer.url = issuer.url or f"http://{HOST}:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        if issuer.hold is not None:
            issuer.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
