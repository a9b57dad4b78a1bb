"""JWT-1: 0 of many hostile tokens let anybody in.

The hostile provider is our own: it speaks real HTTP, checks the code and the verifier as a provider
must, and lets each test spoil one thing. Every refusal leaves no session, no person, and one event.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.config import GovernanceSettings
from web.id_token import LOGOUT_EVENT
from web.testing_oidc import (
    CLIENT,
    Claims,
    Issuer,
    encode,
    provider_key,
    serving,
    sign,
    stranger_key,
)
from web.testing_oidc_site import (
    SESSION,
    Lamplight,
    lamplight,
    refused,
    settings_for,
    sign_in,
)

SIGNING, STRANGER = provider_key(), stranger_key()


def spoiled(**changes: Any) -> Callable[[Claims], str]:
    """An honest signature under other claims; None takes a claim away."""

    def mint(claims: Claims) -> str:
        changed = claims | changes
        return sign({name: value for name, value in changed.items() if value is not None})

    return mint


def headed(**header: Any) -> Callable[[Claims], str]:
    return lambda claims: sign(claims, header)


def tampered(claims: Claims) -> str:
    head, _, signature = sign(claims).split(".")
    return f"{head}.{encode(claims | {'sub': 'admin'})}.{signature}"


def no_signature(name: str) -> Callable[[Claims], str]:
    return lambda claims: f"{encode({'alg': name, 'typ': 'JWT', 'kid': 'one'})}.{encode(claims)}."


def hmac_with(secret: bytes) -> Callable[[Claims], str]:
    return lambda claims: sign(claims, {"alg": "HS256"}, secret)


def own_key(name: str, value: Any) -> Callable[[Claims], str]:
    """Signed by a stranger, whose key comes along."""
    return lambda claims: sign(claims, {name: value, "kid": "stranger"}, STRANGER)


NOW_S = int(time.time())
HOSTILE_TOKENS: dict[str, tuple[Callable[[Claims], Any], str]] = {
    "no algorithm": (no_signature("none"), "algorithm"),
    "no algorithm in capitals": (no_signature("NONE"), "algorithm"),
    "hmac with the public key": (hmac_with(SIGNING.as_pem(private=False)), "algorithm"),
    "hmac with the published modulus": (
        hmac_with(str(SIGNING.as_dict(private=False)["n"]).encode()),
        "algorithm",
    ),
    "an algorithm that is not listed": (headed(alg="RS384"), "algorithm"),
    "no signature": (lambda claims: sign(claims).rpartition(".")[0] + ".", "signature"),
    "half a signature": (lambda claims: sign(claims)[:-40], "signature"),
    "tampered payload": (tampered, "signature"),
    "another key under our id": (lambda claims: sign(claims, {}, STRANGER), "signature"),
    "another key under its own id": (
        lambda claims: sign(claims, {"kid": "new"}, STRANGER),
        "does not publish",
    ),
    "a key in the header": (own_key("jwk", STRANGER.as_dict(private=False)), "(jwk)"),
    "a key elsewhere": (own_key("jku", "https://evil.example/jwks"), "(jku)"),
    "a certificate elsewhere": (own_key("x5u", "https://evil.example/x.pem"), "(x5u)"),
    "a certificate in the header": (own_key("x5c", ["MIIB"]), "(x5c)"),
    "a critical extension": (headed(crit=["bork"], bork=True), "extension"),
    "a critical extension that the library knows": (headed(crit=["b64"], b64=True), "extension"),
    "an empty list of extensions": (headed(crit=[]), "extension"),
    "an access token": (headed(typ="at+jwt"), "kind"),
    "a logout token": (headed(typ="logout+jwt"), "kind"),
    "another issuer": (spoiled(iss="https://evil.example"), "another identity provider"),
    "almost our issuer": (
        lambda claims: sign(claims | {"iss": claims["iss"] + "/"}),
        "another identity provider",
    ),
    "no issuer": (spoiled(iss=None), "another identity provider"),
    "another audience": (spoiled(aud="other"), "another application"),
    "no audience": (spoiled(aud=None), "another application"),
    "two audiences without a party": (spoiled(aud=[CLIENT, "other"]), "several applications"),
    "another party": (spoiled(azp="other"), "another application"),
    "two audiences and another party": (
        spoiled(aud=[CLIENT, "other"], azp="other"),
        "another application",
    ),
    "another nonce": (spoiled(nonce="n"), "nonce"),
    "no nonce": (spoiled(nonce=None), "nonce"),
    "expired": (spoiled(exp=NOW_S - 3600), "expired"),
    "no end": (spoiled(exp=None), "(exp)"),
    "an end in words": (spoiled(exp="never"), "(exp)"),
    "not yet": (spoiled(nbf=NOW_S + 3600), "not hold yet"),
    "made tomorrow": (spoiled(iat=NOW_S + 86400), "future"),
    "made at no time": (spoiled(iat=None), "(iat)"),
    "no new sign-in": (spoiled(auth_time=NOW_S - 3600), "sign in anew"),
    "no word of a sign-in": (spoiled(auth_time=None), "(auth_time)"),
    "a sign-in in words": (spoiled(auth_time="now"), "(auth_time)"),
    "a sign-in that is true": (spoiled(auth_time=True), "(auth_time)"),
    "a sign-in tomorrow": (spoiled(auth_time=NOW_S + 86400), "future"),
    "a sign-in at no end": (spoiled(auth_time=10**400), "(auth_time)"),
    "about nobody": (spoiled(sub=None), "who it is about"),
    "about a number": (spoiled(sub=7), "who it is about"),
    "an order to sign out": (spoiled(events={LOGOUT_EVENT: {}}), "kind"),
    "no claims": (lambda _: sign("[]"), "no claims"),
    "no json": (lambda _: sign("{"), "signature"),
    "encrypted": (lambda claims: "a.b.c.d.e", "not a signed token"),
    "a word": (lambda claims: "token", "not a signed token"),
    "a number": (lambda claims: 7, "no ID token"),
    "nothing": (lambda claims: None, "no ID token"),
    "too long": (lambda claims: "a" * 100_000 + ".b.c", "not a signed token"),
}


@pytest.mark.parametrize("case", HOSTILE_TOKENS)
def test_jwt_1_a_hostile_token_is_refused(hostile: Lamplight, target: Issuer, case: str) -> None:
    """The honest one beside it is accepted, so each is refused for what is wrong with it."""
    target.mint, reason = HOSTILE_TOKENS[case]
    with hostile.browser() as browser, refused(hostile, reason):
        answer = sign_in(target, browser)
        assert answer.status_code == 403
        assert "You were not signed in" in answer.text
        assert SESSION not in browser.cookies


def test_jwt_1_no_address_in_a_token_is_visited(hostile: Lamplight) -> None:
    """A key that the token points to is not fetched."""
    with serving(Issuer()) as trap, serving(Issuer()) as issuer:
        web = settings_for(issuer.url)
        with lamplight(hostile.record, GovernanceSettings(Path("unused")), web) as site:
            for name in ("jku", "x5u"):
                issuer.mint = own_key(name, f"{trap.url}/jwks")
                with site.browser() as browser, refused(site, name):
                    sign_in(issuer, browser)
        assert trap.asked == []
