"""A model comes from a signed medium whole and sound, or not at all."""

import base64
import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.admission import Admission, Step, trust_of
from runtime.errors import PackageRefused
from runtime.names import parse_name
from runtime.revocation import Revoked
from runtime.signature import sign_folder
from runtime.store import Store
from runtime.testing_catalogue import (
    NAME,
    Makers,
    long_ago,
    makers_in,
    now_whole,
    settings_in,
)
from runtime.tuf_author import Catalogue, make_key, read_signer


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this file gets as far as a socket."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published catalogue with one model; each test changes a copy."""
    folder = tmp_path_factory.mktemp("makers")
    makers = makers_in(folder, now_whole())
    makers.pack(now_whole())
    makers.publish(now_whole())
    return folder


class Site:
    """A hospital with its store and its trust, and the medium that somebody brings."""

    def __init__(self, folder: Path, makers: Makers) -> None:
        self.settings, self.makers = settings_in(folder), makers
        self.settings.models_dir.mkdir(parents=True)
        self.store, self.trust = Store(self.settings.models_dir), trust_of(self.settings)
        self.trust.install(makers.root, [makers.publisher.with_name("publisher.pub")])
        self.steps: list[Step] = []
        self.revoked: list[Revoked] = []

    def take(self) -> str:
        admission = Admission(
            self.settings, self.store, self.trust, self.revoked.extend, self.steps.append
        )
        return admission.take(self.makers.catalogue.folder, parse_name(NAME)).digest

    def left(self) -> list[str]:
        """Every file and folder of the site but locks."""
        root = self.settings.models_dir.parent
        found = (p.relative_to(root).as_posix() for p in root.rglob("*"))
        return sorted(p for p in found if not p.endswith(".lock") and p != "models/downloads")


@pytest.fixture
def makers(tmp_path: Path, sound: Path) -> Makers:
    shutil.copytree(sound, tmp_path / "makers")
    folder = tmp_path / "makers"
    return Makers(Catalogue(folder / "medium"), folder / "keys", Store(folder / "makers"))


@pytest.fixture
def site(tmp_path: Path, makers: Makers) -> Site:
    return Site(tmp_path / "site", makers)


def weights(makers: Makers) -> Path:
    return max(makers.place.glob("model/sha256-*"), key=lambda path: path.stat().st_size)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_sound_package_becomes_the_same_model(site: Site) -> None:
    """Its manifest is the makers' own, byte for byte, and every blob is there."""
    digest = site.take()
    model = site.store.read(parse_name(NAME))
    assert model.manifest.digest == digest
    assert model.manifest.raw == site.makers.store.read(parse_name(NAME)).manifest.raw
    site.store.verify(model)
    assert site.steps == list(Step)
    assert site.take() == digest


def bit_flip(makers: Makers) -> None:
    flip(weights(makers))


def cut_short(makers: Makers) -> None:
    os.truncate(weights(makers), weights(makers).stat().st_size - 1)


def made_longer(makers: Makers) -> None:
    with weights(makers).open("ab") as file:
        file.write(b"x")


def extra_file(makers: Makers) -> None:
    (makers.place / "model" / "extra").write_text("x")


def renamed(makers: Makers) -> None:
    weights(makers).rename(makers.place / "model" / f"sha256-{'0' * 64}")


def missing(makers: Makers) -> None:
    weights(makers).unlink()


def link(makers: Makers) -> None:
    path = weights(makers)
    path.rename(makers.keys / "elsewhere")
    path.symlink_to(makers.keys / "elsewhere")


def wrong_publisher(makers: Makers) -> None:
    make_key(makers.keys / "stranger", None, publisher=True)
    makers.pack(now_whole(), key=makers.keys / "stranger")
    makers.list_again(now_whole())


def edited_payload(makers: Makers) -> None:
    """What was signed names another digest now, and the rest is as it was."""
    signature = makers.place / "model.sig"
    bundle = json.loads(signature.read_text())
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    edited = payload.replace(b"model", b"medal", 1)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(edited).decode()
    signature.write_text(json.dumps(bundle))
    makers.list_again(now_whole())


def empty_bundle(makers: Makers) -> None:
    (makers.place / "model.sig").write_bytes(b"")
    makers.list_again(now_whole())


def cut_bundle(makers: Makers) -> None:
    signature = makers.place / "model.sig"
    signature.write_bytes(signature.read_bytes()[:-200])
    makers.list_again(now_whole())


class Careless(Catalogue):
    """A station whose key is in the wrong hands: it publishes whatever there is."""

    def _check_signed(self, root: object, metadata: object) -> None:
        pass


def one_of_two(makers: Makers) -> None:
    """A new list that one person alone has signed."""
    makers.pack(now_whole(), "You leak.")
    makers.catalogue.sign(read_signer(makers.keys / "pharmacy", None))
    station = read_signer(makers.keys / "station", None)
    Careless(makers.catalogue.folder).publish(station, now_whole())


def stale(makers: Makers) -> None:
    makers.publish(long_ago())


def strangers(makers: Makers) -> None:
    other = makers_in(makers.keys.parent / "other", now_whole())
    other.pack(now_whole())
    other.publish(now_whole())
    shutil.rmtree(makers.catalogue.folder)
    shutil.copytree(other.catalogue.folder, makers.catalogue.folder)


def hidden_file(makers: Makers) -> None:
    (makers.place / "model" / ".gitattributes").write_text("x")


def signed_extra_file(makers: Makers) -> None:
    extra_file(makers)
    makers.list_again(now_whole())


def signed_bit_flip(makers: Makers) -> None:
    bit_flip(makers)
    makers.list_again(now_whole())


def renamed_folder(makers: Makers) -> None:
    """The signed folder of one model stands under the name of another."""
    other = makers.place.with_name("2")
    shutil.move(makers.place, other)
    shutil.copytree(other, makers.place)
    bill = makers.place / "model" / "bom.cdx.json"
    bill.write_text(bill.read_text().replace('"version": "1"', '"version": "2"'))
    sign_folder(makers.place / "model", makers.place / "model.sig", makers.publisher, None)
    makers.list_again(now_whole())


NOT_SIGNED, BROKEN = "not signed", "is not what was signed"
TAMPERED: dict[Callable[[Makers], None], tuple[Step, str]] = {
    bit_flip: (Step.COPIED, BROKEN),
    cut_short: (Step.COPIED, BROKEN),
    made_longer: (Step.COPIED, "longer than what was signed"),
    extra_file: (Step.COPIED, NOT_SIGNED),
    renamed: (Step.COPIED, NOT_SIGNED),
    missing: (Step.COPIED, "missing"),
    link: (Step.LOOKED, "is a link"),
    wrong_publisher: (Step.SIGNED, "Key mismatch"),
    edited_payload: (Step.SIGNED, "not that of its publisher"),
    empty_bundle: (Step.SIGNED, "does not fit"),
    cut_bundle: (Step.SIGNED, "does not fit"),
    one_of_two: (Step.TRUSTED, "targets was signed by 1/2 keys"),
    stale: (Step.TRUSTED, "timestamp.json is expired"),
    # The fourteenth is an older catalogue: the test after this one. What follows comes on top.
    strangers: (Step.TRUSTED, "signed by 0/1 keys"),
    hidden_file: (Step.LOOKED, "is no name of a catalogue"),
    signed_extra_file: (Step.SIGNED, "Extra files found"),
    signed_bit_flip: (Step.SIGNED, "Hash mismatch"),
    renamed_folder: (Step.BILLED, "another model's name"),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_prv_1_a_tampered_package_is_refused_and_leaves_nothing(
    site: Site, tamper: Callable[[Makers], None]
) -> None:
    """Refused whole: not a file more than before, and nothing remembered."""
    before = site.left()
    tamper(site.makers)
    step, words = TAMPERED[tamper]
    with pytest.raises(PackageRefused, match=re.escape(words)):
        site.take()
    assert site.steps[-1] is step
    assert site.left() == before
    assert site.store.names() == []


def test_prv_1_an_older_catalogue_is_refused(site: Site, tmp_path: Path) -> None:
    """Rollback: what was seen is remembered, and the model stays as it was."""
    old = tmp_path / "old"
    shutil.copytree(site.makers.catalogue.folder, old)
    site.makers.pack(now_whole(), "You help more.")
    site.makers.publish(now_whole())
    digest = site.take()
    before = site.left()
    shutil.rmtree(site.makers.catalogue.folder)
    shutil.copytree(old, site.makers.catalogue.folder)
    with pytest.raises(PackageRefused, match="version"):
        site.take()
    assert site.left() == before
    assert site.store.read(parse_name(NAME)).manifest.digest == digest


def test_prv_1_without_a_trusted_root_nothing_is_taken(site: Site) -> None:
    """A medium cannot bring its own root."""
    shutil.rmtree(site.trust.folder)
    with pytest.raises(PackageRefused, match="no catalogue is trusted"):
        site.take()
    assert site.store.names() == []


def test_prv_1_a_licence_that_is_not_allowed_is_refused(tmp_path: Path, makers: Makers) -> None:
    """The bill of materials says which it is."""
    site = Site(tmp_path / "site", makers)
    site.settings = replace(site.settings, allowed_licences=("Apache-2.0",))
    with pytest.raises(PackageRefused, match="licence is not allowed here: MIT"):
        site.take()
    assert site.store.names() == []


@pytest.mark.parametrize("step", Step)
def test_prv_2_a_cut_at_any_step_shows_nothing_and_the_next_run_completes(
    site: Site, step: Step
) -> None:
    """The process is killed as the step begins; 0 half-visible models, then all of it."""

    def die(reached: Step) -> None:
        if reached is step:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        admission = Admission(site.settings, site.store, site.trust, on_step=die)
        admission.take(site.makers.catalogue.folder, parse_name(NAME))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert site.store.names() == []
    site.take()
    site.store.verify(site.store.read(parse_name(NAME)))
    assert not [path for path in site.left() if "package-" in path]


def test_apr_7_a_revoked_model_is_told_of_and_refused(site: Site) -> None:
    """The list comes with the catalogue; renewing alone takes it in, too."""
    digest = site.take()
    site.makers.revoke(f"sha256:{digest}", now_whole())
    site.makers.publish(now_whole())
    with pytest.raises(PackageRefused, match="revoked: It answers wrongly"):
        site.take()
    assert [one.digest for one in site.revoked] == [f"sha256:{digest}"]
    site.revoked.clear()
    admission = Admission(site.settings, site.store, site.trust, site.revoked.extend)
    admission.renew(site.makers.catalogue.folder)
    assert [one.digest for one in site.revoked] == [f"sha256:{digest}"]


def test_prv_7_a_catalogue_lists_the_same_twice(makers: Makers) -> None:
    """Also when the same model is packed again, but for the random part of its signature."""
    first = makers.catalogue.listed()
    assert json.dumps(makers.catalogue.listed()) == json.dumps(first)
    makers.pack(now_whole())
    again = makers.catalogue.listed()
    files, before = again["files"], first["files"]
    assert isinstance(files, dict)
    assert isinstance(before, dict)
    assert {p for p in files if files[p] != before[p]} == {
        p for p in files if p.endswith("model.sig")
    }
