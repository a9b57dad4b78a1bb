"""AUT-1: a sign-in under way is taken up once, in time, by the browser that began it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.errors import FlowRefused, TooManyFlows
from governance.oidc_flows import FLOW_KEPT, MAX_FLOWS, Flow, OidcFlows, state_of
from governance.record.database import Record
from governance.record.people_tables import oidc_flows

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def flows(record: Record) -> OidcFlows:
    return OidcFlows(record)


def count(record: Record) -> int:
    with record.read() as connection:
        return connection.execute(select(func.count()).select_from(oidc_flows)).scalar_one()


def test_aut_1_a_flow_comes_back_as_it_was_begun(flows: OidcFlows, record: Record) -> None:
    """Nonce, verifier and the page to go to; afterwards nothing of it is kept."""
    begun = flows.start("/search?q=vials", NOW)
    taken = flows.take(begun.state, begun.browser_secret, NOW + timedelta(minutes=9))
    assert taken == begun
    assert taken.next_path == "/search?q=vials"
    assert count(record) == 0


def test_aut_1_a_flow_is_used_once(flows: OidcFlows) -> None:
    """A state that comes back a second time is refused."""
    begun = flows.start("/", NOW)
    flows.take(begun.state, begun.browser_secret, NOW)
    with pytest.raises(FlowRefused, match="already finished"):
        flows.take(begun.state, begun.browser_secret, NOW)


def test_aut_1_a_flow_expires(flows: OidcFlows) -> None:
    """Ten minutes, not one second more, and it is gone even so."""
    begun = flows.start("/", NOW)
    with pytest.raises(FlowRefused, match="too long"):
        flows.take(begun.state, begun.browser_secret, NOW + FLOW_KEPT)
    with pytest.raises(FlowRefused, match="already finished"):
        flows.take(begun.state, begun.browser_secret, NOW)


@pytest.mark.parametrize(
    "broken",
    [
        lambda flow, other: ("", flow.browser_secret),
        lambda flow, other: (flow.state, ""),
        lambda flow, other: (flow.state, other.browser_secret),
        lambda flow, other: (other.state, flow.browser_secret),
        lambda flow, other: (flow.state, flow.state),
        lambda flow, other: (flow.state + "=", flow.browser_secret),
        lambda flow, other: ("ä\udcff", flow.browser_secret),
        lambda flow, other: (flow.state, "ä\udcff"),
    ],
)
def test_aut_1_another_browser_cannot_take_it_up(
    flows: OidcFlows, broken: Callable[[Flow, Flow], tuple[str, str]]
) -> None:
    """Login CSRF: who sees the state still lacks the cookie; the flow itself stays usable."""
    flow, other = flows.start("/", NOW), flows.start("/", NOW)
    with pytest.raises(FlowRefused, match="browser"):
        flows.take(*broken(flow, other), NOW)
    assert flows.take(flow.state, flow.browser_secret, NOW) == flow


def test_aut_1_the_state_does_not_tell_the_secret(flows: OidcFlows, record: Record) -> None:
    """Each is new every time, and neither stands in the record or in a print."""
    begun, other = flows.start("/", NOW), flows.start("/", NOW)
    assert begun.state == state_of(begun.browser_secret)
    secrets = {begun.browser_secret, begun.state, begun.nonce, begun.verifier}
    assert len(secrets) == 4
    assert not secrets & {other.browser_secret, other.state, other.nonce, other.verifier}
    assert 43 <= len(begun.verifier) <= 128
    with record.read() as connection:
        kept = str(connection.execute(select(oidc_flows)).all())
    assert begun.browser_secret not in kept
    assert begun.state not in kept
    assert not any(secret in repr(begun) for secret in secrets)


def test_aut_1_only_one_of_many_takes_it_up(flows: OidcFlows) -> None:
    """Eight at the same moment: one gets it."""
    begun = flows.start("/", NOW)

    def take(_number: int) -> bool:
        try:
            flows.take(begun.state, begun.browser_secret, NOW)
        except FlowRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_flows_under_way_are_bounded(flows: OidcFlows, record: Record) -> None:
    """Anybody can begin one, so old ones go and no more than a limit stay."""
    row = {"nonce": "n", "verifier": "v", "next_path": "/"}
    rows = [
        {"id": f"{n:064x}", "expires_at": NOW + timedelta(minutes=5), **row}
        for n in range(MAX_FLOWS)
    ]
    with record.write() as connection:
        connection.execute(oidc_flows.insert(), rows)
    with pytest.raises(TooManyFlows):
        flows.start("/", NOW)
    flows.start("/", NOW + timedelta(minutes=5))
    assert count(record) == 1
