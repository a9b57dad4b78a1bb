"""Speaks to the one configured identity provider; nothing else of the pages calls another server.

Its address comes from the settings alone. Answers are bounded in size and time, redirects are not
followed, and proxies of the environment are not used. Its description and its keys are kept for a
while, so that a short silence of the provider stops nobody who is in the middle of signing in.
"""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.jwk import Key

from web.bounded_transport import BoundedTransport
from web.config import WebSettings
from web.errors import (
    BadProviderSettings,
    IdentityRefused,
    ProviderSilent,
    ProviderUnreachable,
    UnknownSigningKey,
)
from web.id_token import signed_claims, signing_keys

WELL_KNOWN = "/.well-known/openid-configuration"
SCOPE = "openid profile email"
MAX_SECRET_BYTES = 4096
# A token with an unknown key makes us ask for the keys again, but strangers send tokens, too.
KEYS_RETRY_S = 30.0
# A provider that did not answer is not asked again at once: nobody waits for it in vain.
SILENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Description:
    """What we use of the provider's discovery document."""

    authorization: str
    token: str
    keys: str
    names_itself: bool
    secret_in_body: bool


class IdentityProvider:
    """The provider as we know it at the moment."""

    def __init__(self, settings: WebSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises BadProviderSettings. clock: seconds that never go back."""
        if settings.oidc_issuer is None or not settings.oidc_client_id:
            raise BadProviderSettings(
                "The identity provider is not fully set.",
                "Set web.oidc_issuer and web.oidc_client_id.",
            )
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        if not is_safe_address(self.issuer):
            raise BadProviderSettings(
                f"{self.issuer} cannot be an identity provider: it is not https.",
                "Set web.oidc_issuer to an https address.",
            )
        self._settings = settings
        self._clock = clock
        try:
            self._tls = ssl.create_default_context(cafile=settings.oidc_ca_file)
        except OSError as error:
            raise BadProviderSettings(
                f"The identity provider's authority {settings.oidc_ca_file} cannot be used.",
                "Set web.oidc_ca_file to a PEM file that we can read.",
            ) from error
        self._description: tuple[float, Description] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None
        self._silent_until = 0.0

    async def sign_in_address(
        self, state: str, nonce: str, verifier: str, redirect_uri: str
    ) -> str:
        """Where to send the browser. Raises ProviderUnreachable.

        Computers on a ward are shared, so whoever is still signed in at the provider is asked again
        each time; that it was done is checked in the token (`web/id_token.py`).
        """
        description = await self.description()
        async with self._client(description) as client:
            address, _ = client.create_authorization_url(
                description.authorization,
                state=state,
                code_verifier=verifier,
                nonce=nonce,
                redirect_uri=redirect_uri,
                prompt="login",
                max_age=0,
            )
        return str(address)

    async def check_answer(self, query: Mapping[str, str]) -> str:
        """The code of an answer that comes from this provider. Raises IdentityRefused.

        RFC 9207: an answer of another provider is not taken to this one's token endpoint.
        """
        description = await self.description()
        named = query.get("iss")
        if named is None and description.names_itself:
            raise IdentityRefused("The answer does not say which provider it comes from.")
        if named not in (None, self.issuer):
            raise IdentityRefused("The answer comes from another identity provider.")
        if "error" in query:
            raise IdentityRefused("The identity provider refused the sign-in.")
        if not query.get("code"):
            raise IdentityRefused("The answer holds no code.")
        return query["code"]

    async def id_token(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Exchange a code for an ID token. Raises IdentityRefused, ProviderUnreachable."""
        description = await self.description()
        try:
            async with asyncio.timeout(self._settings.oidc_timeout_s):
                async with self._client(description) as client:
                    answer = await client.fetch_token(
                        description.token,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=verifier,
                        redirect_uri=redirect_uri,
                    )
        except AuthlibBaseError as error:
            raise IdentityRefused("The identity provider did not accept the code.") from error
        except (httpx2.HTTPError, TimeoutError, ValueError, OSError) as error:
            raise ProviderUnreachable("It does not answer as it should.") from error
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise IdentityRefused("The identity provider gave no ID token.")
        return token

    async def claims(self, token: str, types: Sequence[str]) -> dict[str, Any]:
        """The claims of a token that this provider signed.

        Raises IdentityRefused, ProviderUnreachable.
        """
        keys = await self.keys()
        try:
            return signed_claims(token, keys, types)
        except UnknownSigningKey:
            return signed_claims(token, await self.keys(anew=True), types)

    async def description(self) -> Description:
        """The discovery document, kept for a while. Raises ProviderUnreachable."""
        kept, now = self._description, self._clock()
        if kept is not None and now - kept[0] < self._settings.oidc_kept_s:
            return kept[1]
        try:
            document = await self._json(self.issuer.rstrip("/") + WELL_KNOWN)
            found = self._described(document)
        except ProviderSilent:
            if kept is None:
                raise
            return kept[1]
        self._description = (now, found)
        return found

    async def keys(self, anew: bool = False) -> tuple[Key, ...]:
        """The provider's keys, kept for a while; `anew` asks again, but not all the time.

        Raises ProviderUnreachable.
        """
        kept, now = self._keys, self._clock()
        fresh_s = KEYS_RETRY_S if anew else self._settings.oidc_kept_s
        if kept is not None and now - kept[0] < fresh_s:
            return kept[1]
        try:
            document = await self._json((await self.description()).keys)
            entries = document.get("keys")
            found = signing_keys(entries if isinstance(entries, list) else [])
        except ProviderSilent:
            if kept is None:
                raise
            return kept[1]
        self._keys = (now, found)
        return found

    def _described(self, document: Mapping[str, Any]) -> Description:
        if document.get("issuer") != self.issuer:
            raise ProviderUnreachable("It gives itself another name than the one that is set.")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [document.get(name) for name in names]
        if not all(isinstance(one, str) and is_safe_address(one) for one in addresses):
            raise ProviderUnreachable("Its description names an address that is not https.")
        methods = document.get("token_endpoint_auth_methods_supported")
        in_body = isinstance(methods, list) and "client_secret_basic" not in methods
        authorization, token, keys = map(str, addresses)
        names_itself = document.get("authorization_response_iss_parameter_supported") is True
        return Description(authorization, token, keys, names_itself, in_body)

    async def _json(self, address: str) -> dict[str, Any]:
        if self._clock() < self._silent_until:
            raise ProviderSilent
        try:
            async with asyncio.timeout(self._settings.oidc_timeout_s):
                async with httpx2.AsyncClient(**self._options()) as client:
                    answer = await client.get(address)
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            self._silent_until = self._clock() + SILENCE_S
            raise ProviderSilent from error
        try:
            document = answer.json() if answer.status_code == 200 else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ProviderUnreachable("It does not answer as it should.")
        return document

    def _client(self, description: Description) -> Any:
        secret = self._secret()
        in_body = "client_secret_post" if description.secret_in_body else "client_secret_basic"
        return AsyncOAuth2Client(
            self.client_id,
            secret,
            token_endpoint_auth_method=in_body if secret else "none",
            scope=SCOPE,
            code_challenge_method="S256",
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        return {
            "transport": BoundedTransport(verify=self._tls, trust_env=False),
            "timeout": self._settings.oidc_timeout_s,
            "follow_redirects": False,
            "trust_env": False,
            "headers": {"Accept": "application/json", "Accept-Encoding": "identity"},
        }

    def _secret(self) -> str | None:
        path = self._settings.oidc_client_secret_file
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                return file.read(MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ProviderUnreachable("The file with our secret cannot be read.") from error


def is_safe_address(address: str) -> bool:
    """Whether an address is https, or http on this machine; without user and fragment."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    if parts.scheme == "https":
        return True
    with suppress(ValueError):
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    return parts.scheme == "http" and host == "localhost"
