"""Turns policy files into passages: parse, clean, split, embed, index."""

import os

# Haystack reads this once, at import, and reports pipeline runs to the outside unless told not to.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["HAYSTACK_LOGGING_IGNORE_STRUCTLOG"] = "true"
