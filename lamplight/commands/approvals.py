"""`lamplight model`: which models there are, who approved them for what, and what is blocked.

Run by the owner of the data directory, who is one person like any other: what they propose,
somebody else approves.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from governance.approval_rules import LONGEST
from governance.data_classes import DataClass, up_to
from governance.risks import Risk
from lamplight.client import PlatformClient
from lamplight.commands.options import AsJson, Data, notes, platform, print_json, results
from lamplight.errors import BadUse

app = typer.Typer(help="Which models may see which data, and since when.", no_args_is_help=True)

Model = Annotated[str, typer.Argument(help="Its name, or its digest as `model list --json` shows.")]
Which = Annotated[
    str, typer.Argument(help="A model with one such approval, or the id of an approval.")
]
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit trail.")]
Places = Annotated[
    list[str] | None, typer.Option("--department", help="Only there; may be said several times.")
]
# What the place of an act is, where none is named.
PURPOSE = "model"


@app.command("list")
def list_models(as_json: AsJson = False, data: Data = None) -> None:
    """Every model that is installed, ever answered or was ever proposed."""
    with platform(data, PURPOSE) as (client, _settings):
        found = client.get("/api/v1/inventory")
    if as_json:
        print_json(found)
        return
    table = Table("Name", "Digest", "Standing", "Approved for", "Until", "Answers", "Last used")
    for one in found["models"]:
        table.add_row(*_row(one))
    results.print(table)


@app.command("propose")
def propose(
    model: Model,
    data_class: Annotated[
        DataClass, typer.Option("--class", help="The most confidential data that it may see.")
    ],
    purposes: Annotated[str, typer.Option("--for", help="What it is for.")],
    evidence: Annotated[str, typer.Option(help="What speaks for it.")],
    reason: Reason,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day, in UTC. Default: in a year."),
    ] = None,
    report: Annotated[
        list[str] | None, typer.Option(help="SHA-256 of a report; may be said several times.")
    ] = None,
    pia: Annotated[
        str | None, typer.Option(help="Privacy impact assessment; needed from confidential on.")
    ] = None,
    risk: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=LIKELIHOOD,IMPACT,WHAT IS DONE, numbers from 1 to 3; once for each of "
            f"{', '.join(Risk)}."
        ),
    ] = None,
    conditions: Annotated[str, typer.Option(help="Under which conditions it may work.")] = "",
    publisher: Annotated[str, typer.Option(help="Who made it, where its file does not say.")] = "",
    licence: Annotated[
        str, typer.Option(help="Its licence, where neither file nor catalogue says.")
    ] = "",
    bom: Annotated[str, typer.Option(help="SHA-256 of its bill of materials.")] = "",
    department: Places = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Propose a model; somebody else approves it, above `internal` two others."""
    with platform(data, PURPOSE) as (client, _settings):
        enabled = client.get("/api/v1/data-classes")["enabled"]
        lower = [one for one in up_to(data_class) if one in enabled or one is data_class]
        body = {
            "model": model,
            "data_classes": lower,
            "departments": department or None,
            "purposes": purposes,
            "evidence": evidence,
            "reports": report or [],
            "pia": pia,
            "risks": [_risk(one) for one in risk or []],
            "conditions": conditions,
            "publisher": publisher,
            "licence": licence,
            "bom": bom,
            "reason": reason,
            "expires_at": _end(until).isoformat(),
        }
        made = client.post("/api/v1/approvals", body)
    words = f"Proposed as {made['id']}. It needs {made['approvers_needed']} other to approve it."
    _tell(made, words, as_json=as_json)


@app.command("approve")
def approve(which: Which, reason: Reason, as_json: AsJson = False, data: Data = None) -> None:
    """Approve what somebody else proposed."""
    _step(which, "approve", ("proposed",), reason, as_json=as_json, data=data)


@app.command("withdraw")
def withdraw(which: Which, reason: Reason, as_json: AsJson = False, data: Data = None) -> None:
    """Drop a proposal."""
    _step(which, "withdraw", ("proposed",), reason, as_json=as_json, data=data)


@app.command("revoke")
def revoke(which: Which, reason: Reason, as_json: AsJson = False, data: Data = None) -> None:
    """End an approval at once; answers under way end with it."""
    _step(which, "revoke", ("approved",), reason, as_json=as_json, data=data)


@app.command("block")
def block(
    reason: Reason,
    model: Annotated[
        str | None, typer.Argument(help="The model; without one, every model.")
    ] = None,
    department: Annotated[
        str | None, typer.Option(help="Only there; without one, everywhere.")
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Stop a model, a department or everything at once, whatever is approved."""
    with platform(data, PURPOSE) as (client, _settings):
        body = {"model": model, "department": department, "reason": reason}
        made = client.post("/api/v1/blocks", body)
    where = f"in {department}" if department else "everywhere"
    what = model or "Every model"
    words = f"{what} is blocked {where}. Lift it with `lamplight model unblock {made['id']}`."
    _tell(made, words, as_json=as_json)


@app.command("unblock")
def unblock(
    block_id: Annotated[str, typer.Argument(help="Its id, as `model block` printed it.")],
    reason: Reason,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Lift a block."""
    with platform(data, PURPOSE) as (client, _settings):
        lifted = client.post(f"/api/v1/blocks/{block_id}/lift", {"reason": reason})
    _tell(lifted, "The block is lifted.", as_json=as_json)


@app.command("class")
def set_class(
    department: Annotated[str, typer.Argument(help="The department.")],
    data_class: Annotated[DataClass, typer.Argument(help="How confidential its data is.")],
    reason: Reason,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Say how confidential the data of a department is; at first it is `internal`."""
    with platform(data, PURPOSE) as (client, _settings):
        body = {"department": department, "data_class": data_class, "reason": reason}
        changed = client.post("/api/v1/data-classes", body)
    _tell(changed, f"The data of {department} is {data_class} now.", as_json=as_json)


def _step(
    which: str, verb: str, states: tuple[str, ...], reason: str, *, as_json: bool, data: Data
) -> None:
    with platform(data, PURPOSE) as (client, _settings):
        approval_id = _approval(client, which, states)
        after = client.post(f"/api/v1/approvals/{approval_id}/{verb}", {"reason": reason})
    given, needed = len(after["approved_by"]), after["approvers_needed"]
    waits = f", {given} of {needed} approved it" if after["state"] == "proposed" else ""
    _tell(after, f"{after['model']} is {after['state']}{waits}.", as_json=as_json)


def _approval(client: PlatformClient, which: str, states: tuple[str, ...]) -> str:
    """The one approval that is meant. Raises BadUse."""
    known = client.get("/api/v1/approvals")["approvals"]
    if any(one["id"] == which for one in known):
        return which
    mine = client.get("/api/v1/approvals", model=which)["approvals"]
    fitting = [one for one in mine if one["state"] in states]
    if len(fitting) == 1:
        return str(fitting[0]["id"])
    listed = "; ".join(f"{one['id']} ({one['state']})" for one in mine) or "none"
    raise BadUse(
        "There are several such approvals." if fitting else "There is no such approval.",
        f"Name it by its id: {listed}.",
    )


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    counting = [one for one in model["approvals"] if one["counts_now"]]
    classes = dict.fromkeys(name for one in counting for name in one["data_classes"])
    if model["pinned"] and model["state"] != "blocked":
        classes = {"public": None, "internal": None} | classes
    ends = min((one["expires_at"][:10] for one in counting), default="")
    name = model["names"][0] if model["names"] else ""
    last = (model["last_used_at"] or "never")[:10]
    standing = model["state"].replace("_", " ")
    return name, model["digest"][:12], standing, ", ".join(classes), ends, str(model["uses"]), last


def _risk(text: str) -> dict[str, Any]:
    """One `--risk`. Raises BadUse."""
    name, _, rest = text.partition("=")
    parts = rest.split(",", 2)
    if name not in tuple(Risk) or len(parts) != 3 or not all(one.isdigit() for one in parts[:2]):
        raise BadUse(
            f"{text!r} scores no risk.",
            "Write for example --risk 'privacy=1,3,Questions are deleted after 30 days'. "
            f"The risks are {', '.join(Risk)}.",
        )
    likelihood, impact, mitigation = parts
    scores = {"likelihood": int(likelihood), "impact": int(impact)}
    return {"risk": name, **scores, "mitigation": mitigation.strip()}


def _end(until: datetime | None) -> datetime:
    """The moment when the last day is over; without one, a day less than the longest from now."""
    if until is not None:
        return until.replace(tzinfo=UTC) + timedelta(days=1)
    return datetime.now(UTC) + LONGEST - timedelta(days=1)


def _tell(told: Any, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        notes.print(words, markup=False)
