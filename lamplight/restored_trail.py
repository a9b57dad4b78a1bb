"""Checks the trail of a backup: against itself, and against what only the operator can bring.

Whoever can change a backup can change its key, its settings and the anchors that they name as well.
So the public key and anchors that were kept elsewhere vouch for it; what the backup brings along
can make it be refused, never make it be believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.audit.anchors import Anchor
from governance.audit.note import VerifierKey, read_checkpoint, verifier_key
from governance.audit.rotation import signing_key
from governance.audit.verdict import Code, Verdict
from governance.audit.verify import verify
from governance.config import GovernanceSettings
from governance.errors import AnchorUnreachable, BackupRefused
from governance.record.database import Record
from governance.secrets import Secrets
from lamplight.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the operator brings to check a backup with."""

    vkey: VerifierKey | None = None
    anchors: tuple[Path, ...] = ()


NO_PROOFS = Proofs()


@dataclass(frozen=True, slots=True)
class Checked:
    """How the trail was checked.

    anchored_size: the longest trail that an anchor knows, None without one. vouched_by: `key`,
    `anchor`, both or none; without any, only the backup speaks for itself. vouched_size: so many
    events, from the first, they speak for. unreachable: anchors that only the backup names.
    """

    anchored_size: int | None
    vouched_by: tuple[str, ...]
    vouched_size: int
    unreachable: tuple[str, ...] = ()


def check_trail(
    record: Record,
    manifest: Manifest,
    governance: GovernanceSettings,
    proofs: Proofs,
    brought: Sequence[Path] = (),
) -> Checked:
    """Hold the trail to the manifest, its signatures, the operator's proofs and all anchors.

    brought: anchors that the backup names. That anchors know more events is no fault of the backup:
    it is older. Without the keys of the backup, and without the public key, nobody can tell whose
    signatures they are. Raises BackupRefused, AnchorUnreachable.
    """
    ours = [Anchor(one) for one in dict.fromkeys((*proofs.anchors, *governance.anchor_dirs))]
    theirs, unreachable = _theirs(brought, ours, lenient=proofs != NO_PROOFS)
    anchors = [*ours, *theirs]
    with record.read() as connection:
        secret = signing_key(connection, Secrets(governance.keys_dir), governance.trail_origin)
    own = verifier_key(governance.trail_origin, secret)
    if proofs.vkey is not None and manifest.has_keys and own.key != proofs.vkey.key:
        raise _refused("The signing key in it is not the one that was named.")
    with record.read() as connection:
        verdict = verify(connection, proofs.vkey or own, anchors=anchors)
    grave = _grave(verdict, manifest, tolerate_keys=not manifest.has_keys and not proofs.vkey)
    grave += _forked(record, verdict, anchors)
    if grave:
        raise _refused(grave[0])
    vouched = _vouched(verdict, proofs, ours, has_keys=manifest.has_keys)
    longest = max(_sizes(anchors), default=None)
    return Checked(longest, tuple(vouched), max(vouched.values(), default=0), unreachable)


def _theirs(
    brought: Sequence[Path], ours: Sequence[Anchor], *, lenient: bool
) -> tuple[list[Anchor], tuple[str, ...]]:
    """The anchors that only the backup names; lenient: one that is away does no harm."""
    known = {anchor.path for anchor in ours}
    found, unreachable = [], []
    for anchor in map(Anchor, brought):
        if anchor.path in known:
            continue
        try:
            anchor.notes()
        except AnchorUnreachable:
            if not lenient:
                raise
            unreachable.append(str(anchor))
        else:
            found.append(anchor)
    return found, tuple(unreachable)


def _grave(verdict: Verdict, manifest: Manifest, *, tolerate_keys: bool) -> list[str]:
    tolerated = {Code.TRUNCATED, Code.KEY} if tolerate_keys else {Code.TRUNCATED}
    grave = [found.text for found in verdict.findings if found.code not in tolerated]
    root = verdict.root.hex() if verdict.root else ""
    if (verdict.size, root) != (manifest.trail_size, manifest.trail_root):
        grave.append(f"It has {verdict.size} events, the manifest says {manifest.trail_size}.")
    return grave


def _forked(record: Record, verdict: Verdict, anchors: Sequence[Anchor]) -> list[str]:
    """What anchors say against it, whoever signed: a place of the operator's needs no signature."""
    notes = (read_checkpoint(note) for anchor in anchors for note in anchor.notes())
    covered = [one for one in notes if 0 < one.size <= verdict.size]
    with record.read() as connection:
        return [
            f"An anchor knows other events than these up to {one.size}."
            for one in covered
            if record.trail.root(connection, one.size) != one.root
        ]


def _vouched(
    verdict: Verdict, proofs: Proofs, ours: Sequence[Anchor], *, has_keys: bool
) -> dict[str, int]:
    """For how many events each of the operator's proofs speaks. Raises BackupRefused.

    A backup that brings the signing key along could have been signed by whoever held it, so there
    the public key alone vouches for nothing.
    """
    if proofs.vkey is not None and verdict.size and not verdict.signed_size:
        raise _refused("No checkpoint in it was signed, so the key says nothing about it.")
    sizes = _sizes(ours)
    if proofs.anchors and not sizes:
        raise BackupRefused(
            f"There is no checkpoint in {', '.join(map(str, ours))}.",
            "Name the folder that holds lamplight.checkpoints of this trail.",
        )
    covered = max((size for size in sizes if size <= verdict.size), default=0)
    by_key = verdict.signed_size if proofs.vkey and not has_keys else 0
    found = {"key": by_key, "anchor": covered}
    return {name: size for name, size in found.items() if size}


def _sizes(anchors: Sequence[Anchor]) -> list[int]:
    return [read_checkpoint(note).size for anchor in anchors for note in anchor.notes()]


def _refused(why: str) -> BackupRefused:
    return BackupRefused(
        f"The audit trail in the backup is not the one that was signed. {why}",
        "Do not use this backup; somebody may have changed it.",
    )
