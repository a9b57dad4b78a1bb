"""The fields of a policy as people call them."""

from collections.abc import Mapping

FIELD_NAMES: Mapping[str, str] = {
    "title": "Title",
    "policy_number": "Policy number",
    "effective_from": "In force from",
    "review_due": "Next review",
    "area": "Area",
    "applies_to": "Applies to",
    "owner": "Owner",
    "originated": "First issued",
    "last_approved": "Last approved",
    "last_revised": "Last revised",
    "supersedes": "Replaces",
}
FIELD_HINTS: Mapping[str, str] = {
    "effective_from": "Leave empty to put it in force as soon as it is approved.",
    "supersedes": "Numbers or titles of other policies that this one replaces.",
}
