"""Slows guessing down: each failed sign-in makes the next wait longer, by account and by address.

The decision is pure: a count of failures gives a wait. An attempt is counted before its password is
checked and taken back when it was right, so many at the same time gain nothing. Only keyed hashes
of names and addresses are stored. Attempts during a wait are not checked and do not lengthen it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Network, ip_address

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.dialects import postgresql, sqlite

from governance.record.database import Record
from governance.record.people_tables import throttles

RECORD_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class Backoff:
    """How waiting grows: after `free` failures `first_s`, doubling up to `longest_s` seconds.

    forget_s: after so many seconds without an attempt everything is forgotten.
    """

    free: int
    first_s: int
    longest_s: int
    forget_s: int


ACCOUNT = Backoff(free=5, first_s=2, longest_s=3_600, forget_s=86_400)
# A ward may share one address, so more is free and a right password takes one failure back.
ADDRESS = Backoff(free=10, first_s=2, longest_s=900, forget_s=3_600)


def network_of(address: str) -> str:
    """What one sender can choose among: an IPv6 customer holds a /64 of addresses at least."""
    try:
        parsed = ip_address(address)
    except ValueError:  # no address: a Unix socket
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False))


class Admission(Enum):
    """What happens to an attempt to sign in."""

    CHECK = auto()
    # Refused without a check; the trail gets one entry a minute for each account and address.
    REFUSE = auto()
    REFUSE_QUIETLY = auto()


@dataclass(frozen=True, slots=True)
class Count:
    """The failures of one account or address."""

    failures: int
    blocked_until: datetime
    updated_at: datetime


def wait_s(failures: int, backoff: Backoff) -> int:
    """How many seconds the next attempt waits after so many failures."""
    if failures < backoff.free:
        return 0
    doublings = min(failures - backoff.free, backoff.longest_s.bit_length())
    return min(backoff.first_s << doublings, backoff.longest_s)


def counted(count: Count, backoff: Backoff, now: datetime) -> Count:
    """The count with one more attempt."""
    forgotten = (now - count.updated_at).total_seconds() >= backoff.forget_s
    failures = 1 if forgotten else count.failures + 1
    return Count(failures, now + timedelta(seconds=wait_s(failures, backoff)), now)


class Throttle:
    """The counts of failed sign-ins."""

    def __init__(self, record: Record, hmac_key: bytes) -> None:
        self._record = record
        self._hmac_key = hmac_key

    def admit(self, account: str, address: str, now: datetime) -> Admission:
        """Count an attempt, and say whether its password may be checked."""
        # The address first: while it waits, names that it makes up leave no rows.
        kinds = ((self.address_key(address), ADDRESS), (self.account_key(account), ACCOUNT))
        if self._waits_quietly([key for key, _ in kinds], now):
            return Admission.REFUSE_QUIETLY
        with self._record.write() as connection:
            counts = []
            for key, backoff in kinds:
                count = _locked(connection, key, now)
                if count.blocked_until > now:
                    return _refused(connection, key, count, now)
                counts.append((key, counted(count, backoff, now)))
            for key, count in counts:
                _store(connection, key, count)
        return Admission.CHECK

    def succeeded(self, account: str, address: str) -> None:
        """The password was right: forget the account's failures and one of the address's."""
        this = throttles.c.key == self.address_key(address)
        with self._record.write() as connection:
            row = connection.execute(select(throttles).where(this).with_for_update()).mappings()
            if (found := row.one_or_none()) is not None:
                # This attempt and one failure more; it did not fail, so it blocks nothing.
                count = _count(found)
                left = Count(max(count.failures - 2, 0), count.updated_at, count.updated_at)
                _store(connection, found["key"], left)
            _forget(connection, self.account_key(account))

    def release(self, connection: Connection, account: str) -> None:
        """Forget the account's failures: its person came in by a ticket."""
        _forget(connection, self.account_key(account))

    def account_key(self, account: str) -> str:
        """The keyed hash under which an account is counted and named in the trail."""
        return self._key("account", account)

    def address_key(self, address: str) -> str:
        """The keyed hash under which an address is counted and named in the trail."""
        return self._key("address", network_of(address))

    def sweep(self, now: datetime) -> int:
        """Remove what is forgotten; return how many."""
        longest = timedelta(seconds=max(ACCOUNT.forget_s, ADDRESS.forget_s))
        old = throttles.c.updated_at < now - longest
        with self._record.write() as connection:
            return connection.execute(throttles.delete().where(old)).rowcount

    def _waits_quietly(self, keys: list[str], now: datetime) -> bool:
        """The cheap answer to a flood: a look without a lock, which leaves no rows."""
        query = select(throttles).where(throttles.c.key.in_(keys), throttles.c.blocked_until > now)
        with self._record.read() as connection:
            waiting = [_count(row) for row in connection.execute(query).mappings()]
        return any(_is_marked(count, now) for count in waiting)

    def _key(self, kind: str, name: str) -> str:
        message = f"throttle|{kind}|{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._hmac_key, message, hashlib.sha256).hexdigest()


def _locked(connection: Connection, key: str, now: datetime) -> Count:
    """The count of a key, made where it is missing; two that make it at once both see one."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    fresh = {"key": key, "failures": 0, "blocked_until": now, "updated_at": now}
    connection.execute(insert(throttles).values(fresh).on_conflict_do_nothing())
    query = select(throttles).where(throttles.c.key == key).with_for_update()
    return _count(connection.execute(query).mappings().one())


def _count(row: RowMapping) -> Count:
    return Count(row["failures"], row["blocked_until"], row["updated_at"])


def _store(connection: Connection, key: str, count: Count) -> None:
    connection.execute(
        throttles.update()
        .where(throttles.c.key == key)
        .values(
            failures=count.failures,
            blocked_until=count.blocked_until,
            updated_at=count.updated_at,
        )
    )


def _refused(connection: Connection, key: str, count: Count, now: datetime) -> Admission:
    if _is_marked(count, now):
        return Admission.REFUSE_QUIETLY
    _store(connection, key, Count(count.failures, count.blocked_until, now))
    return Admission.REFUSE


def _is_marked(count: Count, now: datetime) -> bool:
    """Whether the trail has an entry about this one from the last minute."""
    return (now - count.updated_at).total_seconds() < RECORD_EVERY_S


def _forget(connection: Connection, key: str) -> None:
    connection.execute(throttles.delete().where(throttles.c.key == key))
