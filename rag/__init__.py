"""Answers from passages: search, prompt, generate, and check the answer against its passages."""

import logging
import os

# Haystack reads this once, at import, and reports pipeline runs to the outside unless told not to.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["HAYSTACK_LOGGING_IGNORE_STRUCTLOG"] = "true"
# It warns of every text that ends at its limit; a verdict of one word always does
# (rag/generate.py), and a cut answer is dealt with where it is read.
logging.getLogger("haystack.components.generators.chat.openai").setLevel(logging.ERROR)
