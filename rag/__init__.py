"""Answers from passages: search, prompt, generate, and check the answer against its passages."""

import os

# Haystack reads this once, at import, and reports pipeline runs to the outside unless told not to.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["HAYSTACK_LOGGING_IGNORE_STRUCTLOG"] = "true"
