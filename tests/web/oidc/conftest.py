"""The sign-in pages, before an identity provider of our own that can be spoiled."""

import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from web.testing_oidc import Issuer, serving
from web.testing_oidc_site import Lamplight, lamplight, settings_for


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the newest schema and nothing in it; tests copy it."""
    folder = tmp_path_factory.mktemp("migrated")
    open_record(GovernanceSettings(folder)).close()
    return folder / "record.db"


@pytest.fixture
def governance(tmp_path: Path, migrated: Path) -> GovernanceSettings:
    shutil.copy(migrated, tmp_path / "record.db")
    return GovernanceSettings(tmp_path)


@pytest.fixture
def record(governance: GovernanceSettings) -> Iterator[Record]:
    record = open_record(governance)
    yield record
    record.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving(Issuer()) as issuer:
        yield issuer


@pytest.fixture
def site(record: Record, governance: GovernanceSettings, issuer: Issuer) -> Iterator[Lamplight]:
    policies = PolicyStore(record, governance)
    policies.create_department(SYSTEM, "Pharmacy")
    rules = "pharmacists=editor@Pharmacy, it=administrator"
    web = settings_for(issuer.url, oidc_group_roles=rules)
    with lamplight(record, governance, web) as site:
        yield site


@pytest.fixture(scope="module")
def refusing(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Lamplight, Issuer]]:
    """One site for all refusals: they leave nothing but events."""
    governance = GovernanceSettings(tmp_path_factory.mktemp("refusing"))
    record = open_record(governance)
    with (
        serving(Issuer()) as issuer,
        lamplight(record, governance, settings_for(issuer.url)) as site,
    ):
        yield site, issuer
    record.close()


@pytest.fixture
def target(refusing: tuple[Lamplight, Issuer]) -> Issuer:
    """Its provider, honest again."""
    issuer = refusing[1]
    fresh = Issuer(url=issuer.url)
    for one in fields(Issuer):
        setattr(issuer, one.name, getattr(fresh, one.name))
    return issuer


@pytest.fixture
def hostile(refusing: tuple[Lamplight, Issuer], target: Issuer) -> Lamplight:
    """The site, two hours later: it has to ask its provider for everything again."""
    refusing[0].moment[0] += 7200
    return refusing[0]
