"""FLT-10: a provider that is away, slow, or changes its keys."""

from datetime import UTC, datetime
from threading import Event

from joserfc.jwk import RSAKey

from governance.config import GovernanceSettings
from governance.record.database import Record
from web.config import WebSettings
from web.identity_provider import KEYS_RETRY_S
from web.testing_oidc import (
    CLIENT,
    Issuer,
    serving,
    sign,
)
from web.testing_oidc_site import (
    SESSION,
    Lamplight,
    begin,
    lamplight,
    refused,
    settings_for,
    sign_in,
)


def test_flt_10_without_its_provider_sessions_live_on(
    record: Record, governance: GovernanceSettings
) -> None:
    """Who is in stays in; who wants in gets a page that says what to do."""
    with serving(Issuer()) as issuer:
        web = settings_for(issuer.url)
        with lamplight(record, governance, web) as site, site.browser() as browser:
            sign_in(issuer, browser)
            token = browser.cookies[SESSION]
    with lamplight(record, governance, web) as site, site.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "identity provider cannot be used" in answer.text
        assert "stays signed in" in answer.text
        assert site.sessions.find(token, datetime.now(UTC)) is not None


def test_flt_10_keys_that_are_known_outlast_a_short_silence(
    site: Lamplight, issuer: Issuer
) -> None:
    """Description and keys are kept, and asked for again after an hour."""
    for _ in range(3):
        with site.browser() as browser:
            assert sign_in(issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 1
    assert issuer.asked.count("/.well-known/openid-configuration") == 1
    site.moment[0] += 3601
    with site.browser() as browser:
        assert sign_in(issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 2
    site.moment[0] += 3601
    issuer.silent = True
    with site.browser() as browser:
        assert begin(browser)["client_id"] == CLIENT


def test_flt_10_a_wrong_answer_is_no_silence(site: Lamplight, issuer: Issuer) -> None:
    """What was kept helps when the provider says nothing, not when it says something else."""
    with site.browser() as browser:
        assert sign_in(issuer, browser).status_code == 200
    issuer.description = {"issuer": "https://evil.example"}
    site.moment[0] += 3601
    with site.browser() as browser:
        assert browser.get("/sign-in/oidc").status_code == 503


def test_flt_10_a_new_key_is_fetched_once(site: Lamplight, issuer: Issuer) -> None:
    """Rotation needs no restart, and tokens with made-up keys do not make us ask all the time."""
    with site.browser() as browser:
        assert sign_in(issuer, browser).status_code == 200
    new = RSAKey.generate_key(2048, {"kid": "two"})
    issuer.published = [new.as_dict(private=False)]
    issuer.mint = lambda claims: sign(claims, {"kid": "two"}, new)
    site.moment[0] += KEYS_RETRY_S
    with site.browser() as browser:
        assert sign_in(issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 2
    issuer.mint = lambda claims: sign(claims, {"kid": "three"}, new)
    for _ in range(3):
        with site.browser() as browser, refused(site, "does not publish"):
            sign_in(issuer, browser)
    assert issuer.asked.count("/jwks") == 2


def test_flt_10_a_provider_that_hangs_keeps_nobody_waiting(
    record: Record, governance: GovernanceSettings
) -> None:
    """The exchange ends after its time, and the pages answer meanwhile."""
    with serving(Issuer(hold=Event())) as issuer:
        web = WebSettings(oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_timeout_s=0.3)
        with (
            lamplight(record, governance, web) as site,
            site.browser() as browser,
            refused(site, "does not answer"),
        ):
            assert sign_in(issuer, browser).status_code == 503
