"""AUT-1: a sign-in under way is finished once, in time, by the browser that began it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.denials import PER_MINUTE, WINDOW
from governance.errors import FlowRefused
from governance.oidc_flows import FLOW_KEPT, UNLOCK_KEPT, Flow, OidcFlows
from governance.record.database import Record
from governance.record.people_tables import used_sign_ins
from governance.record.trail_tables import audit_leaves

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
ISSUER = "https://idp.hospital.example"
AT_S = NOW.timestamp()


@pytest.fixture
def flows(record: Record) -> OidcFlows:
    return OidcFlows(record, KEY)


def count(record: Record) -> int:
    with record.read() as connection:
        return connection.execute(select(func.count()).select_from(used_sign_ins)).scalar_one()


def bodies(record: Record) -> list[str]:
    with record.read() as connection:
        return list(connection.execute(select(audit_leaves.c.body)).scalars())


def test_aut_1_a_flow_comes_back_as_it_was_begun(flows: OidcFlows, record: Record) -> None:
    """Nonce, verifier, the page to go to and the locked session; after a restart, too."""
    begun = flows.start("/search?q=vials", "a" * 64, NOW)
    later = OidcFlows(record, KEY)
    taken = later.take_up(begun.state, begun.cookie, NOW + timedelta(minutes=1))
    assert taken == begun
    assert (taken.next_path, taken.locked_session) == ("/search?q=vials", "a" * 64)
    assert taken.begun_at == NOW


@pytest.mark.parametrize(("locked", "kept"), [("", FLOW_KEPT), ("a" * 64, UNLOCK_KEPT)])
def test_aut_1_a_flow_is_kept_for_minutes(flows: OidcFlows, locked: str, kept: timedelta) -> None:
    """One that opens a lock for fewer: what its person does elsewhere meanwhile opens nothing."""
    begun = flows.start("/", locked, NOW)
    before = kept - timedelta(seconds=1)
    assert flows.take_up(begun.state, begun.cookie, NOW + before) == begun
    with pytest.raises(FlowRefused, match="too long"):
        flows.take_up(begun.state, begun.cookie, NOW + kept)


def test_aut_1_a_flow_is_finished_once(flows: OidcFlows) -> None:
    """A state that comes back a second time is refused, whoever signed in meanwhile."""
    begun = flows.start("/", "", NOW)
    flows.finish(begun, ISSUER, "ada", AT_S, NOW)
    with pytest.raises(FlowRefused, match="already finished"):
        flows.finish(begun, ISSUER, "ada", AT_S + 60, NOW)
    with pytest.raises(FlowRefused, match="already finished"):
        flows.finish(begun, ISSUER, "bob", AT_S + 60, NOW)


def test_aut_1_one_sign_in_at_the_provider_opens_one_session(flows: OidcFlows) -> None:
    """Somebody who began before cannot use what another person just did there."""
    waiting, hers = flows.start("/", "", NOW), flows.start("/", "", NOW)
    flows.finish(hers, ISSUER, "ada", int(AT_S), NOW)
    with pytest.raises(FlowRefused, match="already finished"):
        flows.finish(waiting, ISSUER, "ada", float(int(AT_S)), NOW)
    flows.finish(waiting, ISSUER, "ada", AT_S + 1, NOW)
    flows.finish(flows.start("/", "", NOW), ISSUER, "bob", int(AT_S), NOW)


def test_aut_1_what_was_used_is_kept_longer_than_it_could_be_used(
    flows: OidcFlows, record: Record
) -> None:
    """Afterwards it goes."""
    begun = flows.start("/", "", NOW)
    flows.finish(begun, ISSUER, "ada", AT_S, NOW)
    last = NOW + FLOW_KEPT + timedelta(minutes=9)
    with pytest.raises(FlowRefused):
        flows.finish(flows.start("/", "", last), ISSUER, "ada", AT_S, last)
    flows.finish(flows.start("/", "", last), ISSUER, "bob", AT_S, NOW + 2 * FLOW_KEPT)
    assert count(record) == 2


def test_aut_1_a_flow_expires(flows: OidcFlows) -> None:
    """Ten minutes, not one second more."""
    begun = flows.start("/", "", NOW)
    with pytest.raises(FlowRefused, match="too long"):
        flows.take_up(begun.state, begun.cookie, NOW + FLOW_KEPT)


def changed(cookie: str) -> str:
    """The same cookie, begun a day later."""
    content = json.loads(urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)))
    content[1] = (NOW + timedelta(days=1)).isoformat()
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "broken",
    [
        lambda flow, other: ("", flow.cookie),
        lambda flow, other: (flow.state, ""),
        lambda flow, other: (flow.state, other.cookie),
        lambda flow, other: (other.state, flow.cookie),
        lambda flow, other: (flow.nonce, flow.cookie),
        lambda flow, other: (flow.state, flow.state),
        lambda flow, other: (flow.state, changed(flow.cookie)),
        lambda flow, other: (flow.state, flow.cookie + "="),
        lambda flow, other: (flow.state + "=", flow.cookie),
        lambda flow, other: ("ä\udcff", flow.cookie),
        lambda flow, other: (flow.state, "ä\udcff"),
    ],
)
def test_aut_1_another_browser_cannot_take_it_up(
    flows: OidcFlows, broken: Callable[[Flow, Flow], tuple[str, str]]
) -> None:
    """Login CSRF: who sees the state lacks the cookie, and who has the cookie changes nothing."""
    flow, other = flows.start("/", "", NOW), flows.start("/", "", NOW)
    with pytest.raises(FlowRefused, match="browser"):
        flows.take_up(*broken(flow, other), NOW)
    assert flows.take_up(flow.state, flow.cookie, NOW) == flow


def test_aut_1_a_flow_of_another_installation_is_refused(flows: OidcFlows, record: Record) -> None:
    """The key makes it ours."""
    begun = OidcFlows(record, b"x" * 32).start("/", "", NOW)
    with pytest.raises(FlowRefused, match="browser"):
        flows.take_up(begun.state, begun.cookie, NOW)


def test_aut_1_the_cookie_tells_no_verifier(flows: OidcFlows) -> None:
    """Nor state nor nonce; each is new every time, long enough, and in no print."""
    begun, other = flows.start("/", "", NOW), flows.start("/", "", NOW)
    secrets = {begun.cookie, begun.state, begun.nonce, begun.verifier}
    assert len(secrets) == 4
    assert not secrets & {other.cookie, other.state, other.nonce, other.verifier}
    assert 43 <= len(begun.verifier) <= 128
    seen = begun.cookie + str(urlsafe_b64decode(begun.cookie + "=="))
    assert not any(secret in seen for secret in (begun.state, begun.nonce, begun.verifier))
    assert not any(secret in repr(begun) for secret in secrets)


def test_aut_1_only_one_of_many_finishes_it(flows: OidcFlows) -> None:
    """Eight at the same moment: one gets it."""
    begun = flows.start("/", "", NOW)

    def finish(number: int) -> bool:
        try:
            flows.finish(begun, ISSUER, "ada", AT_S + number, NOW)
        except FlowRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(finish, range(8))) == 1


def test_strangers_leave_nothing_in_the_record(flows: OidcFlows, record: Record) -> None:
    """However many begin a sign-in, the next one can."""
    for _ in range(6_000):
        flows.start("/", "", NOW)
    begun = flows.start("/", "", NOW)
    flows.finish(flows.take_up(begun.state, begun.cookie, NOW), ISSUER, "ada", AT_S, NOW)
    assert count(record) == 2
    assert bodies(record) == []


def test_aud_5_strangers_do_not_fill_the_trail(flows: OidcFlows, record: Record) -> None:
    """Thirty refusals a minute and how many more there were; of known people each one."""
    for _ in range(PER_MINUTE + 70):
        flows.refused(ISSUER, "No code.", NOW)
    assert len(bodies(record)) == PER_MINUTE
    flows.refused(ISSUER, "Locked.", NOW, subject="bob")
    flows.refused(ISSUER, "No code.", NOW + WINDOW)
    known, later = [json.loads(body) for body in bodies(record)[PER_MINUTE:]]
    assert known["actor"]["sub"] == "bob"
    assert (later["actor"]["sub"], later["facts"]["left_out"]) == ("unknown", 70)
