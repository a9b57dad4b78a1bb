"""For tests of evaluation: gold questions of the site, and the thread that works through runs."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from governance.evaluation_runs import Run
from governance.events import SYSTEM, Actor
from governance.gold_drafts import GoldDraft, Place
from rag.schema import Passage
from rag.workflow import Evaluations, Turn
from web.testing import ScriptedAssistant, Site

VIALS = GoldDraft(
    "When are vials discarded?",
    answerable=True,
    answers=("28 days",),
    places=(Place("vials.pdf", "28 days"),),
    key="vials",
)
HANDS = GoldDraft(
    "This stands nowhere: which rub?",
    answerable=True,
    answers=("Alcohol rub",),
    places=(Place("hands.md", "Alcohol rub"),),
    key="hands",
)
NONE = GoldDraft("Who may lend a wheelchair?", answerable=False, key="none")
DOGS = GoldDraft("This stands nowhere: may dogs visit?", answerable=False, key="dogs")
FOUR = (VIALS, HANDS, NONE, DOGS)


class Closable(ScriptedAssistant):
    """A scripted assistant as a run makes one for itself."""

    async def aclose(self) -> None:
        """Nothing is open."""


def begin_anew(site: Site, drafts: Sequence[GoldDraft] = ()) -> str:
    """End what is open and leave Pharmacy these gold questions alone; gives its id."""
    parts, place = site.platform.evaluations, site.platform.policies.department("Pharmacy")
    for run in parts.runs.open_runs():
        parts.runs.stop(SYSTEM, run.id, site.clock())
    for one in parts.gold.listed(place.id, site.clock()):
        parts.gold.retire(SYSTEM, place.id, one.id, site.clock())
    if drafts:
        parts.gold.save(SYSTEM, place.id, drafts, site.clock())
    return place.id


def evaluations(
    site: Site,
    passages: Sequence[Passage] | None = None,
    admit: Callable[[Run], None] = lambda _run: None,
    turn_of: Callable[[str], Turn] = lambda _run_id: nullcontext(lambda: True),
) -> Evaluations:
    """What works through runs, with the passages of the site and its gate."""
    parts, platform = site.platform.evaluations, site.platform
    known = site.assistant.passages if passages is None else passages
    gate = site.assistant.gate
    return Evaluations(
        parts.runs,
        parts.gold,
        platform.policies,
        lambda _: Closable(known, gate),
        admit,
        platform.clock,
        turn_of,
    )


def run_done(site: Site, passages: Sequence[Passage] | None = None, model: str = "chat") -> str:
    """A run of Pharmacy that an editor started and that was worked through; gives its id."""
    parts, place = site.platform.evaluations, site.platform.policies.department("Pharmacy")
    person = site.platform.people.person(site.people["editor"])
    actor = Actor(person.issuer, person.subject, "password", person.id)
    run = parts.begin(actor, place.id, model, site.clock())
    evaluations(site, passages).work(lambda: False)
    return run.id
