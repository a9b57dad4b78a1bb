"""Cuts a template of Go's `text/template` into texts and the words of its actions. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.errors import BadTemplate

_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"""(?P<trim>[ \t\r\n]-\}\})|(?P<close>\}\})|(?P<space>[ \t\r\n]+)
    |(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<char>'(?:[^'\\\n]|\\.)*')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))(?!\w)
    |(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<variable>\$\w*)|(?P<word>[^\W\d]\w*)
    |(?P<sign>:=|=|,|\||\(|\))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\'"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)"""
)
_ESCAPES = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))
_COMMENT, _COMMENT_SPACED = re.compile(r"/\*"), re.compile(r"[ \t\r\n]*/\*")
_CLOSE = re.compile(r"\}\}|[ \t\r\n]-\}\}")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of an action; line: for messages."""

    kind: str
    text: str
    line: int


def refused(line: int, message: str) -> BadTemplate:
    """Go's words for a text that is no template."""
    return BadTemplate(f"template: :{line}: {message}", "Correct the template.")


def pieces(source: str) -> Iterator[str | list[Token]]:
    """The texts and actions of a template, in order. Raises BadTemplate."""
    at, line, trims = 0, 1, False
    while True:
        start = source.find("{{", at)
        text = source[at:] if start < 0 else source[at:start]
        text = text.lstrip(_SPACE) if trims else text
        if start < 0:
            yield text
            return
        line += source.count("\n", at, start)
        opens = source[start + 2 : start + 4]
        trims_before = len(opens) == 2 and opens[0] == "-" and opens[1] in _SPACE
        yield text.rstrip(_SPACE) if trims_before else text
        begin = at = start + (3 if trims_before else 2)
        if (_COMMENT_SPACED if trims_before else _COMMENT).match(source, at):
            at, trims = _after_comment(source, at, line)
        else:
            tokens, at, trims = _action(source, at, line)
            yield tokens
        line += source.count("\n", begin, at)


def _after_comment(source: str, at: int, line: int) -> tuple[int, bool]:
    end = source.find("*/", source.find("/*", at) + 2)
    if end < 0:
        raise refused(line, "unclosed comment")
    close = _CLOSE.match(source, end + 2)
    if close is None:
        raise refused(line, "comment ends before closing delimiter")
    return close.end(), len(close[0]) > 2


def _action(source: str, at: int, line: int) -> tuple[list[Token], int, bool]:
    tokens: list[Token] = []
    while True:
        found = _TOKEN.match(source, at)
        if found is None:
            raise refused(line, _odd(source[at : at + 1]))
        at, kind, text = found.end(), str(found.lastgroup), found[0]
        if kind in ("trim", "close"):
            return tokens, at, kind == "trim"
        tokens.append(Token(kind, text, line))
        line += text.count("\n")


def _odd(character: str) -> str:
    if not character:
        return "unclosed action"
    if character in "\"`'":
        return "unterminated quoted string"
    return f"unexpected {character!r} in command"


def unquoted(token: Token) -> str:
    """The text that a quoted one stands for. Raises BadTemplate."""
    inside = token.text[1:-1]
    if token.kind == "raw":
        return inside.replace("\r", "")

    def meant(match: re.Match[str]) -> str:
        simple, octal, *hexes = match.groups()
        if simple:
            return _ESCAPES[simple]
        digits = next((one for one in hexes if one), None)
        number = int(octal, 8) if octal else int(digits, 16) if digits else -1
        if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise refused(token.line, "invalid syntax")
        return chr(number)

    return _ESCAPE.sub(meant, inside)


def number_of(token: Token) -> int | float:
    text = token.text.lower()
    try:
        if text.lstrip("+-").startswith("0x"):
            return int(text, 16)
        return float(text) if any(mark in text for mark in ".e") else int(text[:40])
    except (ValueError, OverflowError) as error:
        raise refused(token.line, f'bad number syntax: "{token.text}"') from error


def character_of(token: Token) -> int:
    text = unquoted(token)
    if len(text) != 1:
        raise refused(token.line, f"malformed character constant: {token.text}")
    return ord(text)
