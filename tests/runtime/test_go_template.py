"""Go's template language: what it makes of values, what it refuses, and that it always ends."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadTemplate
from runtime.go_template import identifiers, read_template, render

VALUES: dict[str, Any] = {
    "Name": "Ada",
    "Empty": "",
    "None": None,
    "Yes": True,
    "Count": 3,
    "Half": 0.5,
    "List": ["a", "b", "c"],
    "Map": {"one": 1, "two": 2},
    "Messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "é"}],
}


def made(source: str, values: Any = None) -> str:
    return render(read_template(source), VALUES if values is None else values)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain { text } }}", "plain { text } }}"),
        ("a {{ .Name }} b", "a Ada b"),
        ("a  {{- .Name -}}  b", "aAdab"),
        ("a {{- /* note */ -}} b{{/* }} */}}c", "abc"),
        ("{{ -3 }} {{- 3 }}", "-33"),
        ("{{ .Missing }}{{ .None }}|", "|"),
        ("{{ .Yes }} {{ .Count }} {{ .Half }} {{ .List }} {{ .Map }}",
         'true 3 0.5 [a b c] {"one":1,"two":2}'),
        ('{{ "q\\"\\u00e9\\n" }}{{ `raw\\n` }}{{ \'a\' }}', 'q"é\nraw\\n97'),
        ("{{ if .Name }}y{{ else }}n{{ end }}", "y"),
        ("{{ if .Empty }}y{{ else if .Count }}c{{ else }}n{{ end }}", "c"),
        ("{{ with .Map }}{{ .one }}{{ $.Name }}{{ end }}", "1Ada"),
        ("{{ with .Empty }}y{{ else with .Name }}{{ . }}{{ else }}n{{ end }}", "Ada"),
        ("{{ with $x := .Count }}{{ $x }}{{ end }}", "3"),
        ("{{ range .List }}{{ . }},{{ end }}", "a,b,c,"),
        ("{{ range $i, $e := .List }}{{ $i }}{{ $e }}{{ end }}", "0a1b2c"),
        ("{{ range $e := .List }}{{ $e }}{{ end }}", "abc"),
        ("{{ range $k, $v := .Map }}{{ $k }}={{ $v }};{{ end }}", "one=1;two=2;"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range .None }}x{{ else }}none{{ end }}", "none"),
        ("{{ range .List }}{{ if eq . `b` }}{{ continue }}{{ end }}{{ . }}{{ end }}", "ac"),
        ("{{ range .List }}{{ if eq . `b` }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"),
        ("{{ $x := 1 }}{{ range .List }}{{ $x = . }}{{ end }}{{ $x }}", "c"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ eq .Name `x` `Ada` }}{{ ne 1 2 }}{{ lt 1 2 }}{{ ge `b` `a` }}", "truetruetruetrue"),
        ("{{ and 1 0 2 }}{{ or 0 `` 5 }}{{ not .Yes }}", "05false"),
        ("{{ or .Name (index .None 5) }}", "Ada"),
        ("{{ len .Name }}{{ len .List }}{{ len `é` }}", "332"),
        ("{{ index .List 1 }}{{ index .Map `two` }}{{ (index .Messages 0).Role }}", "b2user"),
        ("{{ slice .Name 1 }}{{ slice .List 0 2 }}{{ slice .Name 1 2 }}", "da[a b]d"),
        ("{{ eq (len (slice $.Messages 1)) 1 }}", "true"),
        ("{{ json .Map }}{{ .Messages }}",
         '{"one":1,"two":2}[{"role":"user","content":"Hi"},{"role":"assistant","content":"é"}]'),
        ("{{ `<a&b>` | json }}", '"\\u003ca\\u0026b\\u003e"'),
        ("{{ .Name | printf `%s-%d-%v` `x` 4 }}", "x-4-Ada"),
        ("{{ printf `%5d|%-5s|%05d|%q|%.2f|%t|%%` 4 `a` 42 `q` 1.5 true }}",
         '    4|a    |00042|"q"|1.50|true|%'),
        ("{{ printf `%s %d` 1 `a` }}", "1 %!d(string=a)"),
        ("{{ print `a` 1 2 `b` }}", "a1 2b"),
        ("{{ html `<` }}{{ urlquery `a b` }}", "&lt;a%20b"),
        ("{{ define `t` }}[{{ . }}]{{ end }}{{ template `t` .Name }}", "[Ada]"),
        ("{{ block `t` .Count }}<{{ . }}>{{ end }}", "<3>"),
        ("{{ toTypeScriptType .Map }}{{ len currentDate }}", "any10"),
    ],
)  # fmt: skip
def test_a_template_makes_what_go_makes(source: str, text: str) -> None:
    """Actions, branches, ranges, variables and functions."""
    assert made(source) == text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ .Name", "unclosed action"),
        ("{{ if .Name }}x", "unexpected EOF"),
        ("x{{ end }}", "unexpected {{end}}"),
        ("{{ if }}x{{ end }}", "missing value for if"),
        ("{{ }}", "missing value for command"),
        ("{{ foo }}", 'function "foo" not defined'),
        ("{{ $x }}", 'undefined variable "$x"'),
        ("{{ if $x := 1 }}{{ end }}{{ $x }}", 'undefined variable "$x"'),
        ("{{ $x = 1 }}", 'undefined variable "$x"'),
        ('{{ "abc }}', "unterminated quoted string"),
        ("{{ (.Name }}", "unclosed left paren"),
        ("{{ .Name) }}", "unexpected"),
        ("{{ /* x }}", "unexpected"),
        ("{{/* x }}", "unclosed comment"),
        ("{{ break }}", "outside {{range}}"),
        ("{{ range .List }}{{ define `x` }}{{ break }}{{ end }}{{ end }}", "outside {{range}}"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "unexpected {{else}}"),
        ("{{ end 1 }}", "unexpected {{end}}"),
        ("{{ if 1 }}{{ end 1 }}", 'unexpected "1" in end'),
        ("{{ .A.B.C | | .D }}", "missing value for command"),
        ("{{ # }}", "unexpected '#' in command"),
        ("{{ 'ab' }}", "malformed character constant"),
        ("{{ 1x }}", "unexpected"),
        ('{{ "\\z" }}', "invalid syntax"),
        ("{{ " + "(" * 200 + " }}", "exceeded max depth"),
        ("{{ if 1 }}" * 200, "exceeded max depth"),
        ("{{ if 1 }}" + "{{ else if 1 }}" * 200 + "{{ end }}", "exceeded max depth"),
    ],
)
def test_what_is_no_template_is_refused(source: str, words: str) -> None:
    """When it is read, with its line."""
    with pytest.raises(BadTemplate, match=r"template: :\d+: ") as raised:
        read_template(source)
    assert words in raised.value.message


@pytest.mark.parametrize(
    "source",
    [
        "{{ .Name.First }}",
        "{{ .None.First }}",
        "{{ index .List 9 }}",
        "{{ slice .List 2 1 }}",
        "{{ eq 1 `a` }}",
        "{{ lt 1 `a` }}",
        "{{ eq .List .List }}",
        "{{ len 1 }}",
        "{{ .Name 1 }}",
        "{{ 1 | .Name }}",
        "{{ not }}",
        "{{ and }}",
        "{{ range .Name }}{{ end }}",
        "{{ template `t` }}",
        "{{ printf `%999999d` 1 }}",
        "{{ printf 1 }}",
    ],
)
def test_what_cannot_be_done_is_refused(source: str) -> None:
    """When it is rendered."""
    with pytest.raises(BadTemplate):
        made(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ range 999999999999 }}{{ end }}",
        "{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}",
        "{{ define `t` }}{{ template `t` }}{{ end }}{{ template `t` }}",
        "{{ $x := `ab` }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := print 10 }}{{ range 20 }}{{ $x = print $x $x }}{{ end }}"
        "{{ range 9999 }}{{ $x }}{{ end }}",
        "{{ $x := print 10 }}{{ range 20 }}{{ $x = print $x $x }}{{ end }}"
        "{{ range 9999 }}{{ eq $x $x }}{{ end }}",
        "{{ range 9999 }}" + "x" * 1000 + "{{ end }}",
    ],
)
def test_a_template_that_would_not_end_is_refused(source: str) -> None:
    """Neither its time nor its output is without bounds."""
    with pytest.raises(BadTemplate):
        made(source)


def test_what_a_template_speaks_of_is_known() -> None:
    """By it a model's abilities are told."""
    source = "{{ if .Tools }}{{ range $i, $m := .Messages }}{{ (index $.A 0).B }}{{ end }}{{ end }}"
    assert identifiers(read_template(source)) >= {"tools", "messages", "a", "b"}


WORDS = (
    "{{ ", " }}", "{{- ", " -}}", "if ", "else", "else if ", "end", "range ", "with ", "break",
    "continue", "define ", "template ", "$x", "$", ".", ".Name", ".List", ".Map", ".Missing",
    " := ", " = ", ", ", " | ", "(", ")", '"a"', "`t`", "1", "-2", "0.5", "true", "nil", "eq ",
    "and ", "or ", "not ", "len ", "index ", "slice ", "printf ", "print ", "json ", "{{", "}}",
    "{{ end }}", "{{ range .List }}", "{{ if .Name }}", "{{ $x := . }}", "\n", "text", "{{/*", "*/",
)  # fmt: skip


@settings(max_examples=600)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_rendered_or_refused(source: str) -> None:
    """Nothing else comes of it, whatever it is."""
    try:
        text = made(source)
    except BadTemplate as error:
        text = error.message
    assert isinstance(text, str)
