"""`lamplight eval`: asks every question of a file and scores what comes back."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.table import Table

from lamplight.client import PlatformClient
from lamplight.commands.options import (
    AsJson,
    Data,
    Department,
    notes,
    platform,
    print_json,
    results,
)
from lamplight.errors import BadUse, PlatformRefused
from rag.errors import QuestionFileBad
from rag.evaluate import Item, score
from rag.questions import Question, read_questions
from rag.report.content import report_of
from rag.report.page import html
from rag.report.sheets import pdf
from rag.results import asked, failed, searched

DEPTH = 10
# What decides the figures; they can only be compared where these agree.
CONFIGURATION = (
    "chat_model",
    "embed_model",
    "search_limit",
    "search_candidates",
    "prompt_passages",
    "prompt_tokens",
    "answer_tokens",
    "temperature",
    "seed",
)


def evaluate(
    questions: Annotated[Path, typer.Argument(help="Questions, one JSON object a line.")],
    department: Department = None,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Score the search, ask no model.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="A folder for report.html, report.pdf and results.json.")
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Record the figures, for a proposal of a model to cite."),
    ] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Score search and answers of a department against a question file."""
    wanted = _read(questions)
    with platform(data, "eval", writes_answers=not retrieval_only) as (client, settings):
        name, _ = client.department(department)
        files = _file_names(client, name)
        models: dict[str, str] = {}
        items = [
            _ask(client, question, name, files, None if retrieval_only else models)
            for question in track(wanted, "Asking", console=notes, transient=True)
        ]
        if record:
            models = _digests(client, models, settings.rag.embed_model)
        used = {name: getattr(settings.rag, name) for name in CONFIGURATION}
        suite = hashlib.sha256(questions.read_bytes()).hexdigest()
        known = {"suite_digest": suite, "model_digests": models}
        result = score(items, {"department": name, **used, **known})
        if record:
            told = client.post("/api/v1/evaluation-reports", summary(result))
            notes.print(f"Recorded as report {told['digest']}.", markup=False)
    if report is not None:
        _write_report(report, result)
    if as_json:
        print_json(result)
    else:
        results.print(_table(result))


def _read(path: Path) -> tuple[Question, ...]:
    try:
        return read_questions(path.read_text(encoding="utf-8").splitlines())
    except QuestionFileBad as error:
        raise BadUse(f"{path}: {error.message}", error.hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadUse(f"{path} cannot be read: {error}.", "Check the path.") from error


def _file_names(client: PlatformClient, department: str) -> dict[str, str]:
    found = client.get("/api/v1/documents", department=department)["documents"]
    return {document["document_id"]: document["file_name"] for document in found}


def _ask(
    client: PlatformClient,
    question: Question,
    department: str,
    files: Mapping[str, str],
    models: dict[str, str] | None,
) -> Item:
    """Search, and unless `models` is None ask as well; notes the digest of each model there."""
    began = time.perf_counter()
    wanted = {"query": question.question, "k": DEPTH, "department": department}
    passages = client.post("/api/v1/search", wanted)["passages"]
    search_ms = (time.perf_counter() - began) * 1000
    if models is None:
        return searched(question, passages, files, search_ms)
    try:
        answer, sure = client.ask(question.question, department)
    except PlatformRefused as refusal:
        return failed(question, refusal.message)
    models[answer["model"]["name"]] = answer["model"]["digest"]
    return asked(question, answer, files, passages, sure)


def _digests(client: PlatformClient, models: Mapping[str, str], embedding: str) -> dict[str, str]:
    """Every model that took part, by its digest.

    A server that is not our runtime tells none: then it is what the inventory calls it by.
    """
    found: dict[str, str] = {}
    inventory = client.get("/api/v1/inventory")["models"]
    for name in (*models, embedding):
        called = {name, f"{name}:latest"}
        listed = (one["digest"] for one in inventory if called & set(one["names"]))
        digest = models.get(name) or next(listed, "")
        if digest:
            found[name] = digest
    return found


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """The figures without the questions, which are of the department that asked them."""
    content = json.dumps(result["items"], sort_keys=True).encode()
    whole = {"items_digest": hashlib.sha256(content).hexdigest()}
    return {name: value for name, value in result.items() if name != "items"} | whole


def _figures(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in ("retrieval", "answers", "abstention", "latency_ms"):
        for name, value in (result[group] or {}).items():
            shown = "-" if value is None else f"{value:.0f}" if group == "latency_ms" else None
            yield f"{group} {name}", shown or f"{value:.3f}"


def _table(result: Mapping[str, Any]) -> Table:
    table = Table("Figure", "Value", title=f"{result['n']} questions")
    for name, value in _figures(result):
        table.add_row(name, value)
    return table


def _write_report(folder: Path, result: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    made = report_of(result, datetime.now(UTC).date())
    (folder / "results.json").write_text(json.dumps(result, ensure_ascii=False, indent=2))
    (folder / "report.html").write_text(html(made), encoding="utf-8")
    (folder / "report.pdf").write_bytes(pdf(made))
