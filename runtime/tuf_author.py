"""Makes and signs a catalogue in a folder: the side of those who choose models for others.

The roles are TUF's. Root names the keys (offline, best 2 of 3); targets says which files there are
(best two people); the station's key alone signs snapshot and timestamp, so that a catalogue stays
fresh without the others. A draft is the next version of a role's file; clients see it when it has
enough signatures and is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from runtime.errors import CatalogueFault
from runtime.package import METADATA, TARGETS
from runtime.store import write_whole

LIFETIMES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=180),
    "snapshot": timedelta(days=30),
    "timestamp": timedelta(days=30),
}
ROLES = tuple(LIFETIMES)


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """Who may sign for a role, and how many of them must. keys: files with public keys."""

    keys: Sequence[Path]
    threshold: int = 1


def make_key(path: Path, password: bytes | None, *, publisher: bool) -> Path:
    """Write a new private key, and its public one beside it. Raises CatalogueFault.

    publisher: a key that signs models (P-256); else one of the catalogue (Ed25519).
    """
    if path.exists():
        raise CatalogueFault(f"{path} is there already", "Choose another name.")
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if publisher
        else (ed25519.Ed25519PrivateKey.generate())
    )
    locked = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(pem, pkcs8, locked))
    public = path.with_name(f"{path.name}.pub")
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(pem, info))
    return public


def read_signer(path: Path, password: bytes | None) -> CryptoSigner:
    """A private key of the catalogue. Raises CatalogueFault."""
    try:
        return CryptoSigner(serialization.load_pem_private_key(path.read_bytes(), password))
    except (OSError, ValueError, TypeError) as error:
        raise CatalogueFault(
            f"the key {path} cannot be used: {error}", "Check the file, and its passphrase."
        ) from error


class Catalogue:
    """A catalogue's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, roles: Mapping[str, RoleKeys], now: datetime) -> "Catalogue":
        """Begin a catalogue; root and an empty list wait for signatures. Raises CatalogueFault."""
        catalogue = cls(folder)
        if (folder / METADATA).exists():
            raise CatalogueFault(f"{folder} holds a catalogue already", "Choose another folder.")
        root = Root(expires=now + LIFETIMES["root"], consistent_snapshot=True)
        for role, who in roles.items():
            if not 0 < who.threshold <= len(who.keys):
                raise CatalogueFault(
                    f"{who.threshold} of {len(who.keys)} keys cannot sign for {role}",
                    "Name at least as many keys as must sign.",
                )
            for key in who.keys:
                root.add_key(_public(key), role)
            root.roles[role].threshold = who.threshold
        catalogue._write(Metadata(root))
        catalogue._write(Metadata(Targets(expires=now + LIFETIMES["targets"])))
        return catalogue

    def sign(self, signer: CryptoSigner) -> list[str]:
        """Sign what the key may sign; the files' names. Raises CatalogueFault."""
        root = self._root()
        signed = []
        for role in (Root.type, Targets.type):
            if signer.public_key.keyid in root.signed.roles[role].keyids:
                metadata = self._newest(role)
                metadata.sign(signer, append=True)
                signed.append(self._write(metadata))
        if not signed:
            raise CatalogueFault(
                "this key signs neither root nor list", "The station's key only publishes."
            )
        return signed

    def add(
        self, files: Mapping[str, Path], custom: Mapping[str, Mapping[str, object]], now: datetime
    ) -> None:
        """List files that lie below `targets/` already. custom: what is told of some of them."""
        draft = self._draft(now)
        for path, file in files.items():
            target = TargetFile.from_file(path, str(file), ["sha256"])
            if path in custom:
                target.unrecognized_fields["custom"] = dict(custom[path])
            draft.signed.targets[path] = target
        self._write(draft)

    def remove(self, place: str, now: datetime) -> None:
        """List nothing below a folder any more."""
        draft = self._draft(now)
        for path in [p for p in draft.signed.targets if p.startswith(f"{place}/")]:
            del draft.signed.targets[path]
        self._write(draft)

    def renew_root(self, now: datetime) -> None:
        """Write the next root with the same keys and a later end; it waits for signatures."""
        root = self._root()
        root.signed.version += 1
        root.signed.expires = now + LIFETIMES["root"]
        root.signatures.clear()
        self._write(root)

    def publish(self, signer: CryptoSigner, now: datetime) -> int:
        """Let clients see the newest list; its version. Raises CatalogueFault."""
        root, targets = self._root(), self._newest(Targets.type)
        self._check_signed(root, root)
        self._check_signed(root, targets)
        snapshot = Snapshot(
            version=self._version("*.snapshot.json") + 1,
            expires=now + LIFETIMES["snapshot"],
            meta={"targets.json": self._told(targets)},
        )
        told = Metadata(snapshot)
        told.sign(signer)
        self._check_signed(root, told)
        before = self.folder / METADATA / "timestamp.json"
        old = Metadata[Timestamp].from_file(str(before)).signed.version if before.exists() else 0
        stamp = Metadata(Timestamp(version=old + 1, expires=now + LIFETIMES["timestamp"]))
        self._write(told)
        stamp.signed.snapshot_meta = self._told(told)
        stamp.sign(signer)
        self._check_signed(root, stamp)
        self._write(stamp)
        return int(targets.signed.version)

    def listed(self) -> dict[str, object]:
        """What the newest list says, the same each time it is asked."""
        signed = self._newest(Targets.type).signed
        return {
            "version": signed.version,
            "files": {path: signed.targets[path].to_dict() for path in sorted(signed.targets)},
        }

    def _draft(self, now: datetime) -> "Metadata[Targets]":
        """The list to write into: the newest one, or the one after it if that is published."""
        newest: Metadata[Targets] = self._newest(Targets.type)
        if newest.signed.version == self._published():
            newest.signed.version += 1
        newest.signed.expires = now + LIFETIMES["targets"]
        newest.signatures.clear()
        return newest

    def _published(self) -> int:
        version = self._version("*.snapshot.json")
        if not version:
            return 0
        path = self.folder / METADATA / f"{version}.snapshot.json"
        return int(Metadata[Snapshot].from_file(str(path)).signed.meta["targets.json"].version)

    def _check_signed(self, root: "Metadata[Root]", metadata: Metadata) -> None:  # type: ignore[type-arg]
        role = metadata.signed.type
        try:
            root.signed.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except (RepositoryError, ValueError) as error:
            raise CatalogueFault(
                f"{role} has not enough signatures of its keys",
                "Those who hold them sign with: lamplight catalogue sign FOLDER --key KEY",
            ) from error

    def _root(self) -> "Metadata[Root]":
        return self._newest(Root.type)

    def _newest(self, role: str) -> Metadata:  # type: ignore[type-arg]
        version = self._version(f"*.{role}.json")
        if not version:
            raise CatalogueFault(
                f"{self.folder} holds no catalogue", "Make one: lamplight catalogue make FOLDER …"
            )
        return Metadata.from_file(str(self.folder / METADATA / f"{version}.{role}.json"))

    def _version(self, pattern: str) -> int:
        names = (path.name for path in (self.folder / METADATA).glob(pattern))
        return max((int(n.partition(".")[0]) for n in names if n[0].isdigit()), default=0)

    def _told(self, metadata: Metadata) -> MetaFile:  # type: ignore[type-arg]
        return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(), ["sha256"])

    def _write(self, metadata: Metadata) -> str:  # type: ignore[type-arg]
        """Write a role's file under its version; its name."""
        role = metadata.signed.type
        name = f"{role}.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        path = self.folder / METADATA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / TARGETS).mkdir(exist_ok=True)
        write_whole(path, metadata.to_bytes())
        return name


def _public(path: Path) -> SSlibKey:
    try:
        return SSlibKey.from_crypto(serialization.load_pem_public_key(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise CatalogueFault(
            f"{path} is no public key", "Name a file that ends in .pub."
        ) from error
