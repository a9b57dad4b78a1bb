"""How confidential data is: five classes in an order, of which the last two are off at first.

Pure. A department has a class; a request has the highest class of whatever is known about it
(APR-4). An approval names the classes that a model may see.
"""

from collections.abc import Collection
from enum import StrEnum

from governance.config import GovernanceSettings


class DataClass(StrEnum):
    """Classes of data, least confidential first."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    DEIDENTIFIED_PHI = "deidentified-phi"
    PHI = "phi"

    @property
    def level(self) -> int:
        """Its place in the order, from 0; the classes themselves compare as words."""
        return tuple(DataClass).index(self)


USUAL = DataClass.INTERNAL
# What a model of the catalogue whose digest is pinned may see without anybody's approval.
PRE_APPROVED = frozenset({DataClass.PUBLIC, DataClass.INTERNAL})


def highest(classes: Collection[DataClass]) -> DataClass:
    """The most confidential of some classes; without any, what is usual."""
    return max(classes, key=lambda one: one.level, default=USUAL)


def up_to(highest_class: DataClass) -> tuple[DataClass, ...]:
    """A class and all below it, in order."""
    return tuple(one for one in DataClass if one.level <= highest_class.level)


def enabled_classes(settings: GovernanceSettings) -> tuple[DataClass, ...]:
    """The classes that are switched on here, in order."""
    switched = {
        DataClass.DEIDENTIFIED_PHI: settings.allow_deidentified_phi,
        DataClass.PHI: settings.allow_phi,
    }
    return tuple(one for one in DataClass if switched.get(one, True))
