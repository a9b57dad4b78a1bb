"""Keeps how confidential the data of each department is; at first all of it is `internal`.

A higher class takes effect at once: models that are not approved for it stop. A lower one would
open what two people closed, so that it is for whoever approves models, and says why.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from governance.approval_rules import check_reason
from governance.config import GovernanceSettings
from governance.data_classes import USUAL, DataClass, enabled_classes, highest
from governance.errors import InvalidApproval
from governance.events import Action, Actor, Event
from governance.people_rows import check_department
from governance.record.database import Record
from governance.record.model_tables import department_classes


class ClassStore:
    """The class of each department."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._record = record
        self._settings = settings

    def classes(self) -> Mapping[str, DataClass]:
        """The class of every department that has another than the usual, by id."""
        with self._record.read() as connection:
            rows = connection.execute(select(department_classes))
            return {row.department_id: DataClass(row.data_class) for row in rows}

    def set_class(
        self, actor: Actor, department_id: str, data_class: DataClass, reason: str
    ) -> None:
        """Give a department another class. Raises UnknownDepartment, InvalidApproval."""
        reason = check_reason(reason)
        if data_class not in enabled_classes(self._settings):
            raise InvalidApproval(
                "data_class",
                f"Data of class {data_class} is switched off here.",
                "Whoever runs this server can allow it: "
                f"governance.allow_{data_class.replace('-', '_')}.",
            )
        with self._record.write() as connection:
            check_department(connection, department_id)
            before = class_within(connection, department_id)
            if before is data_class:
                return
            _store(connection, department_id, data_class)
            event = Event(
                Action.DATA_CLASS_CHANGED,
                actor,
                department_id,
                "department",
                department_id,
                reason=reason,
                facts={"data_class": str(data_class), "data_class_before": str(before)},
            )
            self._record.trail.append(connection, event)


def class_within(connection: Connection, department_id: str | None) -> DataClass:
    """The class of a department, inside the caller's transaction; of no department, the usual."""
    query = select(department_classes.c.data_class).where(
        department_classes.c.department_id == department_id
    )
    found = connection.execute(query).scalar_one_or_none()
    return USUAL if found is None else DataClass(found)


def highest_within(connection: Connection) -> DataClass:
    """The highest class of any department: for whoever works for all of them."""
    found = connection.execute(select(department_classes.c.data_class)).scalars()
    return highest([USUAL, *(DataClass(one) for one in found)])


def _store(connection: Connection, department_id: str, data_class: DataClass) -> None:
    known = department_classes.c.department_id == department_id
    change = update(department_classes).where(known).values(data_class=data_class)
    if connection.execute(change).rowcount == 0:
        connection.execute(
            department_classes.insert().values(department_id=department_id, data_class=data_class)
        )
