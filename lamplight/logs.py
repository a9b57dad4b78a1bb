"""What our processes write to their logs: one line each, no question and no answer in them."""

import logging
import sys

import structlog


def configure_logs() -> None:
    """Send our own events and the libraries' warnings to standard error, with the time in UTC."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="timestamp=%(asctime)s level=%(levelname)s logger=%(name)s event=%(message)r",
    )
    # Request lines would hold addresses of pages that people open.
    logging.getLogger("httpx").setLevel(logging.WARNING)
