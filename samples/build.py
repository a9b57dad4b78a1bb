"""Builds the sample files from `source/`: `python samples/build.py [--out DIR]`.

The same sources give the same bytes; `tests/test_samples.py` holds the committed files to it.
"""

import argparse
import csv
import io
from pathlib import Path

import as_docx
import as_markup
import as_pdf
from policy import Policy, read

HERE = Path(__file__).parent
RENDER = {
    ".pdf": as_pdf.render,
    ".docx": as_docx.render,
    ".html": as_markup.render_html,
    ".md": as_markup.render_markdown,
}


def build(out: Path) -> list[Path]:
    """Write every file below a folder; return their paths."""
    policies = [read(path) for path in sorted((HERE / "source").glob("*.md"))]
    written = {out / policy.file: RENDER[Path(policy.file).suffix](policy) for policy in policies}
    in_force = [policy for policy in policies if not policy.status]
    written[out / "policies.csv"] = policy_list(in_force)
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(written)


def policy_list(policies: list[Policy]) -> bytes:
    """The fields that a person would type when loading each file, one line for each."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("file", "title", "policy_number", "effective_from", "review_due"))
    for policy in policies:
        fields = policy.fields
        names = ("file", "title", "number", "effective", "review")
        writer.writerow(fields[name] for name in names)
    return lines.getvalue().encode()


def main() -> None:
    """Build into this folder, or into the one that was named."""
    options = argparse.ArgumentParser(description="Build the sample policies.")
    options.add_argument("--out", type=Path, default=HERE, help="where the files go")
    for path in build(options.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
