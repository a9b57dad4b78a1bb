"""What a policy list (CSV or XLSX) states about the files that are loaded with it."""

from collections.abc import Sequence
from pathlib import Path

from ingest.errors import RefusedFile
from ingest.policy_list import read_policy_list
from lamplight.errors import BadUse


def fields_by_file(listed: Path, files: Sequence[Path]) -> dict[str, dict[str, str | None]]:
    """What a policy list states about files, by their names in lower case.

    Raises BadUse, and nothing is loaded, if a line cannot be read or names no file of these.
    """
    try:
        read = read_policy_list(listed.read_bytes(), listed.name)
    except OSError as error:
        raise BadUse(f"{listed} cannot be opened: {error.strerror}.", "Check the path.") from error
    except RefusedFile as refusal:
        raise BadUse(refusal.message, refusal.hint) from refusal
    if read.refused:
        reasons = " ".join(f"{one.reason}." for one in read.refused[:10])
        raise BadUse(
            f"{listed.name} has {len(read.refused)} lines that cannot be read: {reasons}",
            "Mend them and try again: nothing was loaded.",
        )
    known = {path.name.casefold() for path in files}
    strange = [one.file or f"line {one.line}" for one in read.rows if one.key not in known]
    if strange:
        raise BadUse(
            f"{listed.name} names files that are not among those to load: "
            f"{', '.join(strange[:10])}.",
            "Give each line the name of its file, and load them together.",
        )
    return {row.key: {name: str(value) for name, value in row.values.items()} for row in read.rows}
