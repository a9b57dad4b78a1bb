"""What makes an identity provider's token one that we believe: signature, then every claim.

Pure: the keys, what is expected and the time are given. A token names its algorithm and its key,
but it chooses neither: the algorithms are listed here and the keys come from the provider's own
key set. OpenID Connect Core 1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6; RFC 8725.
"""

import binascii
import json
import math
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from web.errors import IdentityRefused, UnknownSigningKey

Claims = Mapping[str, Any]

# Signatures only, never a shared secret: with HMAC the provider's public key would be the secret.
KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
# A header that brings or points to its own key asks us to believe whoever wrote it.
FOREIGN_KEYS = ("jwk", "jku", "x5u", "x5c")
ID_TOKEN_TYPES = ("jwt",)
LOGOUT_TOKEN_TYPES = ("logout+jwt", "jwt")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_TOKEN_CHARS = 64 * 1024
MAX_SUBJECT_CHARS = 255
MAX_NAME_CHARS = 120
MAX_GROUPS = 1000
SMALLEST_RSA_BITS = 2048
# Clocks of two machines differ a little, seconds.
LEEWAY_S = 30
# A logout token is used at once; an old one is a replay, seconds.
LOGOUT_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say; acr: one of these, amr: all of these, empty: anything.

    begun_at: when we sent the browser to the provider; the person signed in there afterwards.
    """

    issuer: str
    client_id: str
    nonce: str
    begun_at: datetime
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, as the provider says: issuer and subject are the identity.

    signed_in_at: when they showed the provider who they are, seconds since 1970.
    """

    issuer: str
    subject: str
    name: str
    groups: tuple[str, ...]
    signed_in_at: float


class _Listed(JWSRegistry):
    """Knows the listed algorithms and no other."""

    def get_alg(self, name: str) -> Any:
        if name not in KEY_TYPES:
            raise IdentityRefused("The token is signed with an algorithm that is not allowed.")
        return self.algorithms[name]


def signing_keys(entries: Iterable[Any]) -> tuple[Key, ...]:
    """The keys of a key set that can check a signature; all others are left out."""
    return tuple(key for key in map(_signing_key, entries) if key is not None)


def signed_claims(token: str, keys: Sequence[Key], types: Sequence[str]) -> dict[str, Any]:
    """The claims of a token whose signature holds. Raises IdentityRefused, UnknownSigningKey."""
    header = read_header(token)
    check_header(header, types)
    key = key_of(header, keys)
    try:
        signed = jws.deserialize_compact(token, key, registry=_Listed())
        claims = json.loads(signed.payload or b"")
    except (JoseError, ValueError, RecursionError) as error:
        raise IdentityRefused("The token's signature does not hold.") from error
    if not isinstance(claims, dict):
        raise IdentityRefused("The token holds no claims.")
    return claims


def read_header(token: str) -> dict[str, Any]:
    """The header of a token, not yet believed. Raises IdentityRefused."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN_CHARS or len(parts) != 3:
        raise IdentityRefused("The token is not a signed token.")
    try:
        header = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise IdentityRefused("The token's header cannot be read.") from error
    if not isinstance(header, dict):
        raise IdentityRefused("The token's header cannot be read.")
    return header


def check_header(header: Claims, types: Sequence[str]) -> None:
    """Refuse a foreign algorithm, key, extension or kind of token. Raises IdentityRefused."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise IdentityRefused("The token is signed with an algorithm that is not allowed.")
    if "crit" in header:
        raise IdentityRefused("The token demands an extension that is not known here.")
    brought = [name for name in FOREIGN_KEYS if name in header]
    if brought:
        raise IdentityRefused(f"The token brings a key of its own ({brought[0]}).")
    kind = header.get("typ", types[-1])
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise IdentityRefused("The token is of another kind.")


def key_of(header: Claims, keys: Sequence[Key]) -> Key:
    """The one key that the header can mean. Raises UnknownSigningKey, IdentityRefused."""
    algorithm, kid = header["alg"], header.get("kid")
    fitting = [
        key for key in keys if key.key_type == KEY_TYPES[algorithm] and key.alg in (None, algorithm)
    ]
    named = fitting if kid is None else [key for key in fitting if key.kid == kid]
    if not named:
        raise UnknownSigningKey
    if len(named) > 1:
        raise IdentityRefused("The token does not say which key signed it.")
    return named[0]


def check_id_token(claims: Claims, expected: Expected, now: datetime) -> Identity:
    """Whom the claims of an ID token name. Raises IdentityRefused."""
    _check_origin(claims, expected.issuer, expected.client_id)
    _check_times(claims, now)
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        raise IdentityRefused("The token belongs to another sign-in (nonce).")
    if "events" in claims:
        raise IdentityRefused("The token is of another kind.")
    _check_strength(claims, expected)
    signed_in_at = _signed_in_at(claims, expected.begun_at, now)
    subject, groups = _subject(claims), _groups(claims, expected.groups_claim)
    return Identity(expected.issuer, subject, _name(claims, subject), groups, signed_in_at)


def check_logout_token(claims: Claims, issuer: str, client_id: str, now: datetime) -> str:
    """The subject whose sessions end. Raises IdentityRefused."""
    _check_origin(claims, issuer, client_id)
    _check_times(claims, now)
    if now.timestamp() - _time(claims, "iat") > LOGOUT_AGE_S + LEEWAY_S:
        raise IdentityRefused("The token is too old.")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise IdentityRefused("The token does not ask for a sign-out.")
    if "nonce" in claims or not isinstance(claims.get("jti"), str):
        raise IdentityRefused("The token is of another kind.")
    return _subject(claims)


def _signing_key(entry: Any) -> Key | None:
    # A key that is private, for encryption, too small or of a new kind cannot check a signature.
    if not isinstance(entry, dict) or "d" in entry or entry.get("use", "sig") != "sig":
        return None
    kinds: dict[Any, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = kinds.get(str(entry.get("kty")))
    try:
        if kind is None or not _big_enough(entry):
            return None
        key: Key = kind.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _big_enough(entry: Claims) -> bool:
    if entry.get("kty") != "RSA":
        return True
    modulus = urlsafe_b64decode(f"{entry['n']}==")
    return int.from_bytes(modulus).bit_length() >= SMALLEST_RSA_BITS


def _check_origin(claims: Claims, issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise IdentityRefused("The token comes from another identity provider.")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise IdentityRefused("The token was made for another application.")
    if len(audiences) > 1 and "azp" not in claims:
        raise IdentityRefused("The token is for several applications and does not say for which.")
    if claims.get("azp", client_id) != client_id:
        raise IdentityRefused("The token was given to another application.")


def _check_times(claims: Claims, now: datetime) -> None:
    seconds = now.timestamp()
    if _time(claims, "exp") <= seconds - LEEWAY_S:
        raise IdentityRefused("The token has expired.")
    if _time(claims, "iat") > seconds + LEEWAY_S:
        raise IdentityRefused("The token was made in the future; compare the clocks.")
    if "nbf" in claims and _time(claims, "nbf") > seconds + LEEWAY_S:
        raise IdentityRefused("The token does not hold yet; compare the clocks.")


def _signed_in_at(claims: Claims, begun_at: datetime, now: datetime) -> float:
    """When the person signed in at the provider: since we sent them there, and no earlier.

    We always ask for that, but whoever sits at the browser can take it out of the address; the
    token tells (OpenID Connect Core 1.0, 3.1.2.1, `max_age`). A provider that is still signed in
    for somebody who left vouches for nobody.
    """
    signed_in_at = _time(claims, "auth_time")
    if signed_in_at < begun_at.timestamp() - LEEWAY_S:
        raise IdentityRefused("The person did not sign in anew at the identity provider.")
    if signed_in_at > now.timestamp() + LEEWAY_S:
        raise IdentityRefused("The sign-in was made in the future; compare the clocks (auth_time).")
    return signed_in_at


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        seconds = float(value)
        if not math.isfinite(seconds):
            raise ValueError
    except (ValueError, OverflowError) as error:
        raise IdentityRefused(f"The token does not say when ({name}).") from error
    return seconds


def _check_strength(claims: Claims, expected: Expected) -> None:
    if expected.acr and claims.get("acr") not in expected.acr:
        raise IdentityRefused("The sign-in was not strong enough (acr).")
    methods = claims.get("amr")
    shown = methods if isinstance(methods, list) else []
    if any(method not in shown for method in expected.amr):
        raise IdentityRefused("The sign-in was not strong enough (amr).")


def _subject(claims: Claims) -> str:
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not subject.isprintable()
        or not 0 < len(subject) <= MAX_SUBJECT_CHARS
    ):
        raise IdentityRefused("The token does not say who it is about.")
    return subject


def _name(claims: Claims, subject: str) -> str:
    for key in ("name", "preferred_username", "email"):
        value = claims.get(key)
        if isinstance(value, str):
            shown = "".join(letter for letter in value if letter.isprintable()).strip()
            if shown:
                return shown[:MAX_NAME_CHARS]
    return subject[:MAX_NAME_CHARS]


def _groups(claims: Claims, claim: str) -> tuple[str, ...]:
    value = claims.get(claim)
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list):
        return ()
    return tuple(one for one in found if isinstance(one, str))[:MAX_GROUPS]
