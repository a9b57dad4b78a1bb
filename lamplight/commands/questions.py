"""`lamplight ask` and `lamplight search`, from the terminal."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markdown import Markdown
from rich.padding import Padding

from lamplight.commands.options import AsJson, Data, Department, platform, print_json, results


def ask(
    question: Annotated[str, typer.Argument(help="A question about the policies.")],
    department: Department = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Answer a question from the policies in force, with its sources."""
    with platform(data, "ask", writes_answers=True) as (client, _settings):
        name, _ = client.department(department)
        answer = client.post("/api/v1/ask", {"question": question, "department": name})
    if as_json:
        print_json(answer)
    else:
        _print_answer(answer)


def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", help="How many passages.")] = 10,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Search what was in force on this day."),
    ] = None,
    department: Department = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List the passages in force that are nearest to a text; no model writes anything."""
    with platform(data, "search") as (client, _settings):
        name, _ = client.department(department)
        asked = {"query": text, "k": k, "department": name}
        if as_of is not None:  # noon, so that the day is meant wherever its midnight lies
            asked["as_of"] = as_of.replace(hour=12).astimezone().isoformat()
        found = client.post("/api/v1/search", asked)
    if as_json:
        print_json(found)
        return
    for number, passage in enumerate(found["passages"], 1):
        results.print(f"{number}. {_where(passage)}", style="bold", markup=False)
        results.print(Padding(passage["text"], (0, 0, 1, 3)), markup=False)


def _print_answer(answer: dict[str, Any]) -> None:
    results.print(Markdown(answer["answer"]))
    if answer["status"] == "answered":
        for citation in answer["citations"]:
            results.print(f"[{citation['marker']}] {_where(citation)}", style="bold", markup=False)
            results.print(Padding(f"“{citation['quote']}”", (0, 0, 0, 4)), markup=False)
        return
    if answer["passages"]:
        results.print("\nThese policies may be related:")
    for passage in answer["passages"][:5]:
        results.print(f"- {_where(passage)}", markup=False)


def _where(passage: dict[str, Any]) -> str:
    number = f"{passage['policy_number']} " if passage["policy_number"] else ""
    section = f", {passage['section']}" if passage["section"] else ""
    title = f"{number}{passage['title']}, version {passage['version']}"
    return f"{title}{section}, page {passage['page_from']}"
