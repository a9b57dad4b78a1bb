"""AUD-5: whoever is nobody yet neither fills the trail nor keeps others from signing in."""

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.record.database import Record
from web.testing_oidc import Issuer
from web.testing_oidc_site import begin, finish, lamplight, settings_for, sign_in

TRIES, RECORDED = 40, 5


def test_aud_5_refused_strangers_leave_some_events_a_minute(
    record: Record, governance: GovernanceSettings, issuer: Issuer
) -> None:
    """Callbacks and sign-outs together; people sign in all the same, and are refused by name."""
    with lamplight(record, governance, settings_for(issuer.url), RECORDED) as site:
        with site.browser() as browser:
            for _ in range(TRIES):
                assert finish(browser, {"state": "x"}, "code").status_code == 403
                answer = browser.post("/sign-in/oidc/logout", data={"logout_token": "a.b.c"})
                assert answer.status_code == 400
        told = site.events("session.refused") + site.events("access.denied")
        assert len(told) == RECORDED
        with site.browser() as browser:
            assert sign_in(issuer, browser).status_code == 200
            query = begin(browser)
            assert len(site.events("session.started")) == 1
            ada = site.people.by_identity(issuer.url, "ada")
            assert ada is not None
            site.people.suspend(SYSTEM, ada.id)
            assert finish(browser, query, issuer.approve(query)).status_code == 401
        assert site.events("session.refused")[-1]["actor"]["sub"] == "ada"


def test_aut_1_sign_ins_that_nobody_finishes_keep_nobody_out(
    record: Record, governance: GovernanceSettings, issuer: Issuer
) -> None:
    """They leave nothing here at all."""
    with lamplight(record, governance, settings_for(issuer.url)) as site:
        with site.browser() as browser:
            for _ in range(TRIES):
                begin(browser)
            assert site.events("session.refused") == []
        with site.browser() as browser:
            assert sign_in(issuer, browser).status_code == 200
