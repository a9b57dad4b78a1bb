"""JWT-1: what the pure checks make of tokens, keys and claims of every kind."""

import json
import warnings
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from web.errors import IdentityRefused, UnknownSigningKey
from web.id_token import (
    ID_TOKEN_TYPES,
    KEY_TYPES,
    LOGOUT_EVENT,
    Expected,
    check_id_token,
    check_logout_token,
    signed_claims,
    signing_keys,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ISSUER, CLIENT, NONCE = "https://idp.hospital.example", "lamplight", "n-0S6_WzA2Mj"
EXPECTED = Expected(ISSUER, CLIENT, NONCE, NOW)
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "248289761001",
    "aud": CLIENT,
    "exp": int(NOW.timestamp()) + 300,
    "iat": int(NOW.timestamp()),
    "nonce": NONCE,
    "auth_time": int(NOW.timestamp()),
}
LOGOUT: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "248289761001",
    "aud": [CLIENT],
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 120,
    "jti": "bWJq",
    "events": {LOGOUT_EVENT: {}},
}
KEYS = {
    "RSA": RSAKey.generate_key(2048),
    "EC": ECKey.generate_key("P-256"),
    "OKP": OKPKey.generate_key("Ed25519"),
}


def public(kind: str, **more: str) -> dict[str, Any]:
    return {**KEYS[kind].as_dict(private=False), **more}


def sign(algorithm: str, kind: str, **header: str) -> str:
    # The library warns of the old name EdDSA, which providers still use.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jws.serialize_compact(
            {"alg": algorithm, "typ": "JWT", **header},
            json.dumps(GOOD),
            KEYS[kind],
            registry=JWSRegistry(algorithms=list(JWSRegistry.algorithms)),
        )


@pytest.mark.parametrize("algorithm", KEY_TYPES)
def test_jwt_1_the_listed_algorithms_are_checked(algorithm: str) -> None:
    """With the key of their kind, and with no other."""
    kind = KEY_TYPES[algorithm]
    token = sign(algorithm, kind)
    keys = signing_keys([public(one) for one in KEYS])
    assert signed_claims(token, keys, ID_TOKEN_TYPES) == GOOD
    others = signing_keys([public(one) for one in KEYS if one != kind])
    with pytest.raises(UnknownSigningKey):
        signed_claims(token, others, ID_TOKEN_TYPES)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS512"])
def test_jwt_1_other_algorithms_are_refused_with_the_right_key(algorithm: str) -> None:
    """The list decides, not the library's."""
    keys = signing_keys([public("RSA")])
    with pytest.raises(IdentityRefused, match="algorithm"):
        signed_claims(sign(algorithm, "RSA"), keys, ID_TOKEN_TYPES)


def test_jwt_1_the_key_is_the_one_that_is_named() -> None:
    """By its id, if there is one; without, only if one key can be meant."""
    other = RSAKey.generate_key(2048).as_dict(private=False)
    both = signing_keys([public("RSA", kid="a"), {**other, "kid": "b"}])
    assert signed_claims(sign("RS256", "RSA", kid="a"), both, ID_TOKEN_TYPES) == GOOD
    with pytest.raises(IdentityRefused, match="signature"):
        signed_claims(sign("RS256", "RSA", kid="b"), both, ID_TOKEN_TYPES)
    with pytest.raises(UnknownSigningKey):
        signed_claims(sign("RS256", "RSA", kid="c"), both, ID_TOKEN_TYPES)
    with pytest.raises(IdentityRefused, match="which key"):
        signed_claims(sign("RS256", "RSA"), both, ID_TOKEN_TYPES)


def test_jwt_1_a_key_signs_only_what_it_is_for() -> None:
    """For encryption, for another algorithm, shared, private, small or broken: left out."""
    token = sign("RS256", "RSA")
    small = {"kty": "RSA", "e": "AQAB", "n": urlsafe_b64encode(b"\xff" * 128).decode().rstrip("=")}
    useless: list[Any] = [
        public("RSA", use="enc"),
        KEYS["RSA"].as_dict(private=True),
        OctKey.generate_key(256).as_dict(private=True),
        small,
        {**small, "n": "AAAA" * 64 + str(small["n"])},
        {"kty": "RSA"},
        {"kty": "AKP", "alg": "ML-DSA-44"},
        {"kty": ["RSA"]},
        {"kty": None},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
        None,
        "key",
    ]
    assert signing_keys(useless) == ()
    with pytest.raises(UnknownSigningKey):
        signed_claims(token, signing_keys([*useless, public("RSA", alg="PS256")]), ID_TOKEN_TYPES)
    assert signed_claims(token, signing_keys([*useless, public("RSA")]), ID_TOKEN_TYPES) == GOOD


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "bnVsbA..", "W10.e30.e30", "x" * 70_000, "ä.ö.ü"],
)
def test_jwt_1_what_is_no_token_is_refused(token: str) -> None:
    """Text from outside never ends in an error of ours."""
    with pytest.raises(IdentityRefused):
        signed_claims(token, signing_keys([public("RSA")]), ID_TOKEN_TYPES)


def test_aut_1_the_identity_is_issuer_and_subject() -> None:
    """The name is only shown; groups come from the claim that is set."""
    claims = {
        **GOOD,
        "name": " Ada\u202e Lovelace\n",
        "roles": ["nurses", 7, None],
        "groups": ["x"],
    }
    found = check_id_token(claims, Expected(ISSUER, CLIENT, NONCE, NOW, groups_claim="roles"), NOW)
    assert (found.issuer, found.subject) == (ISSUER, "248289761001")
    assert (found.name, found.groups) == ("Ada Lovelace", ("nurses",))
    assert check_id_token({**GOOD, "groups": "nurses"}, EXPECTED, NOW).groups == ("nurses",)
    assert check_id_token({**GOOD, "groups": {"nurses": 1}}, EXPECTED, NOW).groups == ()
    assert check_id_token({**GOOD, "name": 7, "email": "a@b"}, EXPECTED, NOW).name == "a@b"
    assert check_id_token(GOOD, EXPECTED, NOW).name == "248289761001"


def test_aut_1_several_audiences_need_to_say_for_whom() -> None:
    """`azp` names us, or the token is not ours."""
    claims = {**GOOD, "aud": [CLIENT, "other"]}
    assert check_id_token({**claims, "azp": CLIENT}, EXPECTED, NOW).subject == GOOD["sub"]
    for wrong in (claims, {**claims, "azp": "other"}, {**GOOD, "azp": "other"}):
        with pytest.raises(IdentityRefused, match="application"):
            check_id_token(wrong, EXPECTED, NOW)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize(
    "value", ["soon", True, None, float("nan"), float("inf"), [], "1700000000", 10**400]
)
def test_jwt_1_times_are_numbers(name: str, value: Any) -> None:
    """Anything else is refused, above all what compares with everything."""
    with pytest.raises(IdentityRefused, match=name):
        check_id_token({**GOOD, name: value}, EXPECTED, NOW)


@pytest.mark.parametrize(
    ("claim", "seconds", "holds"),
    [
        ("exp", -29, True),
        ("exp", -30, False),
        ("iat", 30, True),
        ("iat", 31, False),
        ("nbf", 30, True),
        ("nbf", 31, False),
        ("auth_time", -30, True),
        ("auth_time", -31, False),
        ("auth_time", 30, True),
        ("auth_time", 31, False),
    ],
)
def test_jwt_1_clocks_may_differ_by_half_a_minute(claim: str, seconds: int, holds: bool) -> None:
    """Not more."""
    claims = {**GOOD, claim: int(NOW.timestamp()) + seconds}
    if holds:
        assert check_id_token(claims, EXPECTED, NOW).subject == GOOD["sub"]
    else:
        with pytest.raises(IdentityRefused):
            check_id_token(claims, EXPECTED, NOW)


def test_hip_3_the_person_signed_in_since_we_asked_them_to() -> None:
    """Not before, and the token has to say so; when it was is told, for it is good once."""
    later = {**GOOD, "auth_time": NOW.timestamp() + 7.5}
    now = NOW + timedelta(minutes=1)
    assert check_id_token(later, EXPECTED, now).signed_in_at == NOW.timestamp() + 7.5
    with pytest.raises(IdentityRefused, match="did not sign in anew"):
        check_id_token({**GOOD, "auth_time": int(NOW.timestamp()) - 3600}, EXPECTED, now)
    with pytest.raises(IdentityRefused, match="auth_time"):
        check_id_token({k: v for k, v in GOOD.items() if k != "auth_time"}, EXPECTED, now)


def test_hip_7_a_weak_sign_in_is_refused() -> None:
    """One of the contexts and all of the methods that are demanded."""
    expected = Expected(ISSUER, CLIENT, NONCE, NOW, acr=("silver", "gold"), amr=("pwd", "otp"))
    strong = {**GOOD, "acr": "gold", "amr": ["otp", "pwd", "geo"]}
    assert check_id_token(strong, expected, NOW).subject == GOOD["sub"]
    for weak in ({"acr": "bronze"}, {"acr": None}, {"acr": ["gold"]}):
        with pytest.raises(IdentityRefused, match="acr"):
            check_id_token({**strong, **weak}, expected, NOW)
    for weaker in ({"amr": ["pwd"]}, {"amr": "pwd otp"}, {"amr": None}):
        with pytest.raises(IdentityRefused, match="amr"):
            check_id_token({**strong, **weaker}, expected, NOW)


@pytest.mark.parametrize("subject", [None, "", 7, ["x"], "x" * 256, "a\x00b", "a\nb", True])
def test_asvs_6_8_1_without_a_subject_there_is_nobody(subject: Any) -> None:
    """A subject is a short printable text."""
    with pytest.raises(IdentityRefused, match="who it is about"):
        check_id_token({**GOOD, "sub": subject}, EXPECTED, NOW)


def test_a_logout_token_names_whose_sessions_end() -> None:
    """All of the rules for it, and no ID token passes for one."""
    assert check_logout_token(LOGOUT, ISSUER, CLIENT, NOW) == "248289761001"
    broken: list[dict[str, Any]] = [
        {"events": None},
        {"events": {}},
        {"events": [LOGOUT_EVENT]},
        {"nonce": NONCE},
        {"jti": None},
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"exp": int(NOW.timestamp()) - 60},
        {"iat": int(NOW.timestamp()) - 400},
        {"sub": None},
    ]
    for change in broken:
        with pytest.raises(IdentityRefused):
            check_logout_token({**LOGOUT, **change}, ISSUER, CLIENT, NOW)
    with pytest.raises(IdentityRefused):
        check_logout_token(GOOD, ISSUER, CLIENT, NOW)


def test_a_logout_token_lets_nobody_in() -> None:
    """Even one that carries the right nonce."""
    with pytest.raises(IdentityRefused, match="kind"):
        check_id_token({**LOGOUT, "nonce": NONCE}, EXPECTED, NOW)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*sorted(GOOD), "azp", "nbf", "amr", "acr"]), anything))
def test_jwt_1_claims_of_any_kind_are_answered(changes: dict[str, Any]) -> None:
    """A decision, never an error of ours; and nobody but the one who was meant."""
    try:
        found = check_id_token({**GOOD, **changes}, EXPECTED, NOW)
    except IdentityRefused:
        return
    assert found.issuer == ISSUER
    assert changes.get("nonce", NONCE) == NONCE


@given(anything, anything)
def test_jwt_1_headers_of_any_kind_are_answered(algorithm: Any, kid: Any) -> None:
    """None of them is believed without a signature."""
    header = json.dumps({"alg": algorithm, "kid": kid, "typ": "JWT"}).encode()
    token = f"{urlsafe_b64encode(header).decode().rstrip('=')}.e30.AAAA"
    with pytest.raises(IdentityRefused):
        signed_claims(token, signing_keys([public("RSA"), public("EC")]), ID_TOKEN_TYPES)
