"""Masks what most often tells who a text is about, by plain rules.

Pure. This is no detector of health information: it misses names without a word that announces them,
addresses, rare diseases and everything unusual, and it masks harmless numbers. Text that went
through it is NOT safe text: it is kept encrypted and purged like any other. It only makes less
visible to those who may read it.
"""

import re
from collections.abc import Mapping

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_TITLES = r"(?:mr|mrs|ms|miss|mx|dr|prof)"
_ROLES = (
    r"(?:patient|resident|client|nurse|doctor|sir|named|name\s+is|name|surname|next\s+of\s+kin)"
)
_NUMBER_CUES = r"(?:mrn|nhs|ohip|ramq|ssn|sin|hospital\s+no|chart\s+no|health\s+card)"
# A word that begins with a capital; O'Neil, Jean-Luc and initials are one word each.
_NAME_WORD = r"[^\W\d_a-zß-ÿ](?:[^\W\d_]|['’.-](?=[^\W\d_]))*\.?"

# In this order: what a later rule would tear apart stands before it.
RULES: Mapping[str, re.Pattern[str]] = {
    "[e-mail]": re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE),
    "[date]": re.compile(
        r"\b(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
        r"|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
        rf"|{_ORDINAL}\s+(?:of\s+)?{_MONTHS}\.?(?:,?\s+\d{{4}})?"
        rf"|{_MONTHS}\.?\s+{_ORDINAL}(?:,?\s+\d{{4}})?)(?!\w)",
        re.IGNORECASE,
    ),
    # Seven digits or more in groups: fewer are doses and sections.
    "[phone]": re.compile(
        r"(?<!\w)(?=\+?(?:[ .()-]{0,2}\d){7})"
        r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)|\d{2,5})(?:[ .-]{1,2}\d{2,5}){1,5}(?!\w)"
    ),
    "[number]": re.compile(r"(?:\b[A-Za-z]{1,4}-?)?\d{4,}[A-Za-z]?"),
}
_CUED_NUMBER = re.compile(rf"\b({_NUMBER_CUES}[\s:.#]{{1,3}})([A-Za-z]*\d[\w-]*)", re.IGNORECASE)
_MORE_NAMES = rf"(?:[ \t]+{_NAME_WORD}){{0,3}}"
# After a title any word is a name; after a role only one that begins with a capital.
_TITLED_NAME = re.compile(rf"\b((?i:{_TITLES})(?:\.[ \t]*|[ \t]+))([^\W\d_][\w'’-]*{_MORE_NAMES})")
_CUED_NAME = re.compile(rf"\b((?i:{_ROLES})(?:[ \t]*:[ \t]*|[ \t]+))({_NAME_WORD}{_MORE_NAMES})")


def mask(text: str) -> str:
    """The text with e-mail addresses, dates, phone and other numbers and announced names masked."""
    for mark, rule in RULES.items():
        text = rule.sub(mark, text)
    text = _CUED_NUMBER.sub(r"\1[number]", text)
    text = _TITLED_NAME.sub(r"\1[name]", text)
    return _CUED_NAME.sub(r"\1[name]", text)
