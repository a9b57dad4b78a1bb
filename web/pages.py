"""Renders pages and fragments from the templates, with the words that every page shares."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from starlette.responses import HTMLResponse

from ingest.errors import in_words
from web.config import WebSettings
from web.wording import count_words, date_words, list_words, name_words, pages_words, table_words

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """The templates with their filters; one object for the whole application."""

    def __init__(self, settings: WebSettings, static_digest: str) -> None:
        # The component templates count on missing values being empty, at any depth.
        self._templates = Environment(
            loader=ChoiceLoader(
                [FileSystemLoader(TEMPLATES), PackageLoader("nhsuk_frontend_jinja")]
            ),
            autoescape=True,
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            product=settings.product_name, static=f"/static/{static_digest}"
        )
        self._templates.filters.update(
            count=count_words,
            date_words=date_words,
            list_words=list_words,
            name=name_words,
            pages=pages_words,
            readable=table_words,
            size=in_words,
        )

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page, or a fragment as a response of its own."""
        return HTMLResponse(self.fragment(template, **values), status_code=status)

    def fragment(self, template: str, **values: Any) -> str:
        """The text of a template."""
        return self._templates.get_template(template).render(values)


def today() -> date:
    """Today, in UTC; dates of policies carry no zone."""
    return datetime.now(UTC).date()
