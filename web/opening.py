"""Opens a version for a reader: its text, its headings, and the places that an address names."""

from dataclasses import dataclass, replace

from starlette.datastructures import QueryParams

from governance.errors import NotFound
from governance.policies import DocumentSummary, PolicyStore
from governance.policy_sections import SectionStore
from web.contents import Entry, entries_of
from web.finding import find_words
from web.places import (
    Opened,
    Place,
    Sought,
    Stretch,
    found_place,
    in_order,
    number_of,
    quoted_place,
    stretches_of,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A version with the texts of its pages and its headings.

    words: what was looked for in it, found or not. opened: None where no place was named or found.
    """

    version: DocumentSummary
    texts: tuple[str, ...]
    entries: tuple[Entry, ...]
    words: str = ""
    opened: Opened | None = None


class Opener:
    """Reads what the viewer, the pictures and the print show."""

    def __init__(self, policies: PolicyStore, sections: SectionStore) -> None:
        self._policies = policies
        self._sections = sections

    def read(self, version: DocumentSummary) -> Reading:
        """A version, opened at no place."""
        texts = self._policies.page_texts(version.document_id, version.version)
        entries = entries_of(self._sections.sections(version.version_id), texts)
        return Reading(version, texts, entries)

    def open(self, version: DocumentSummary, query: QueryParams) -> Reading:
        """A version with the places that an address names."""
        reading = self.read(version)
        words = " ".join(query.get("find", "").split())
        if words:
            return replace(reading, words=words, opened=_found(reading, words, query.get("at")))
        wanted = stretches_of(query.multi_items())
        return replace(reading, opened=self._quoted(reading, wanted))

    def _quoted(self, reading: Reading, wanted: tuple[Stretch, ...]) -> Opened | None:
        found = [place for one in wanted if (place := self._place(reading, one))]
        # The current place is the first that was named; if that one is nowhere, none is.
        if not found or found[0].stretch is None:
            return None
        if found[0].stretch.passage_id != wanted[0].passage_id:
            return None
        places = in_order(found)
        return Opened(Sought.QUOTED, places, places.index(found[0]))

    def _place(self, reading: Reading, stretch: Stretch) -> Place | None:
        try:
            passage = self._policies.passage(stretch.passage_id)
        except NotFound:
            return None
        if passage.version_id != reading.version.version_id:
            return None
        beside = self._sections.beside(stretch.passage_id)
        return quoted_place(passage, stretch, beside, reading.texts)


def _found(reading: Reading, words: str, at: str | None) -> Opened | None:
    hits = find_words(reading.texts, words)
    if not hits:
        return None
    wanted = min(max(number_of(at) or 1, 1), len(hits))
    return Opened(Sought.FOUND, tuple(map(found_place, hits)), wanted - 1, words)
