"""What is left of somebody's limits, in the headers that OpenAI's clients read. Pure."""

from collections.abc import Sequence

from governance.limits import QuotaLeft


def limit_headers(left: Sequence[QuotaLeft]) -> dict[str, str]:
    """`x-ratelimit-*` of the limit with the least left, for requests and for tokens."""
    headers: dict[str, str] = {}
    for what in ("requests", "tokens"):
        known = [(getattr(one, f"{what}_left"), one) for one in left]
        bounded = [(rest, one) for rest, one in known if rest is not None]
        if bounded:
            rest, one = min(bounded, key=lambda pair: pair[0])
            headers |= {
                f"x-ratelimit-limit-{what}": str(getattr(one.limit, what)),
                f"x-ratelimit-remaining-{what}": str(rest),
                f"x-ratelimit-reset-{what}": f"{one.resets_in_s}s",
            }
    return headers
