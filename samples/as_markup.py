"""A policy as a web page or as Markdown; the body is the source's own text."""

from html import escape

from markdown_it import MarkdownIt
from policy import HOSPITAL, NOTICE, Policy

STYLE = """\
body { color: #1b2327; font: 1rem/1.5 Arial, sans-serif; margin: 2rem auto; max-width: 46rem;
  padding: 0 1rem; }
header p, footer { color: #5b666c; }
h1, h2, th { color: #0b4f5c; }
h1 { border-bottom: 2px solid; padding-bottom: .3rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { border: 1px solid #b9c4c8; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { background: #e8eff1; }
@media print { body { margin: 0; max-width: none; } }
"""


def render_html(policy: Policy) -> bytes:
    """Return a page that stands alone."""
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in policy.header()
    )
    body = MarkdownIt("commonmark").enable("table").render(policy.body)
    body = body.replace("<th>", '<th scope="col">')
    page = f"""\
<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(policy.name)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<p>{HOSPITAL}</p>
</header>
<main>
<h1>{escape(policy.fields["title"])}</h1>
<table>
<tbody>
{rows}
</tbody>
</table>
{body}</main>
<footer>
<p>{NOTICE}</p>
</footer>
</body>
</html>
"""
    return page.encode()


def render_markdown(policy: Policy) -> bytes:
    """Return Markdown whose front matter names the title only; the fields are a table."""
    head, *rest = policy.header()
    rows = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    rows += [f"| {name} | {value} |" for name, value in rest]
    parts = [
        f"---\ntitle: {policy.name}\n---",
        f"# {policy.fields['title']}",
        HOSPITAL,
        "\n".join(rows),
        policy.body.strip(),
        f"*{NOTICE}*",
    ]
    return ("\n\n".join(parts) + "\n").encode()
