"""TLS of the platform: its own certificate, and the client certificates that it asks for.

A client certificate is asked for, not demanded: who has none signs in another way. One that does
not come from the configured authority, or is out of its time or purpose, ends the handshake.
"""

import asyncio
import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from lamplight.errors import BadSetting
from web.client_certificate import EXTENSION, NAME_KINDS
from web.config import WebSettings


def tls_of(settings: WebSettings) -> ssl.SSLContext | None:
    """The TLS side of the platform, or None without a certificate. Raises BadSetting."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        _refuse_client_settings(settings)
        return None
    if certificate is None or key is None:
        raise BadSetting(
            "TLS needs web.tls_certificate and web.tls_key.", "Set both, or neither of them."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Answers hold secrets beside words that others chose: packed together, their length tells.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    # A key under a password would make OpenSSL ask for it on the terminal, and wait.
    load = partial(context.load_cert_chain, certificate, key, password="")
    _load("web.tls_certificate", certificate, load)
    if settings.client_ca is not None:
        _ask_for_certificates(context, settings, settings.client_ca)
    return context


class PeerCertificateProtocol(H11Protocol):
    """Puts the certificate of the connection, checked by TLS, into the scope of its requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open; over TLS its handshake is done."""
        super().connection_made(transport)
        der = _peer_certificate(transport)
        if der is not None:
            self.app = cast(Any, _with_certificate(cast(ASGIApp, self.app), der))


class TlsServer(uvicorn.Server):
    """Serves some sockets in clear, as the command line's own, and others over TLS."""

    def __init__(
        self, config: uvicorn.Config, sockets: Sequence[socket], context: ssl.SSLContext
    ) -> None:
        super().__init__(config)
        self._tls_sockets = tuple(sockets)
        self._context = context

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen on the sockets given here in clear, and on our own over TLS."""
        await super().startup(sockets=sockets or [])
        loop = asyncio.get_running_loop()
        for one in self._tls_sockets:
            self.servers.append(
                await loop.create_server(
                    self._protocol, sock=one, ssl=self._context, backlog=self.config.backlog
                )
            )

    def _protocol(self) -> asyncio.Protocol:
        return PeerCertificateProtocol(self.config, self.server_state, self.lifespan.state)


def _with_certificate(app: ASGIApp, der: bytes) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[EXTENSION] = der
        await app(scope, receive, send)

    return answer


def _peer_certificate(transport: asyncio.Transport) -> bytes | None:
    connection = transport.get_extra_info("ssl_object")
    if connection is None:
        return None
    return cast("bytes | None", connection.getpeercert(binary_form=True))


def _ask_for_certificates(context: ssl.SSLContext, settings: WebSettings, authority: Path) -> None:
    if settings.client_name_kind not in NAME_KINDS:
        raise BadSetting(
            f"web.client_name_kind cannot be {settings.client_name_kind!r}.",
            f"Use one of: {', '.join(NAME_KINDS)}.",
        )
    _load("web.client_ca", authority, partial(context.load_verify_locations, authority))
    if settings.client_crl is not None:
        _load("web.client_crl", settings.client_crl, settings.client_crl.read_bytes)
    context.verify_mode = ssl.CERT_OPTIONAL


def _refuse_client_settings(settings: WebSettings) -> None:
    if settings.client_ca is not None or settings.client_crl is not None:
        raise BadSetting(
            "Client certificates need TLS.", "Set web.tls_certificate and web.tls_key."
        )


def _load(name: str, path: Path, load: Any) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise BadSetting(
            f"{name}: {path} cannot be used: {error}.", "Set it to a PEM file that we can read."
        ) from error
