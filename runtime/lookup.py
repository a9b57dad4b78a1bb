"""Guesses what an answer says next by looking it up in its prompt.

An answer that quotes repeats runs of tokens. The last few tokens are looked for in the prompt and
in what was written so far, longer runs first, the prompt before the answer, the most recent place
first; what followed there is the draft. The model checks a whole draft in one step.

How much is drafted follows from how well it went: more after a draft that was right to its end,
less after one of which hardly anything was right, and after one that was wrong from its first
token nothing for a while, longer each time.
"""

from collections.abc import Sequence as Tokens

RUNS = (8, 6, 4, 3)
# With the token that is due, these fill two and four blocks of four (see `scheduler`).
DRAFT_TOKENS = (7, 15)
WORTH_TOKENS = 3  # a draft of which so many were right was not in vain
LONGEST_PAUSE_TOKENS = 16


class Lookup:
    """The drafts of one answer. limit: the most tokens of a draft; 0 for none at all."""

    def __init__(self, prompt: Tokens[int], limit: int) -> None:
        self._history = list(prompt)
        self._prompt_tokens = len(self._history)
        self._limit = limit
        self._level = 0
        self._pause = 1
        self._quiet_until = 0  # length of the history
        # Made when it is first needed: an answer among many never drafts.
        self._known = 0
        self._in_prompt: dict[tuple[int, ...], int] = {}
        self._in_answer: dict[tuple[int, ...], int] = {}

    def append(self, token: int) -> None:
        """Note a token of the answer."""
        self._history.append(token)

    def draft(self, limit: int) -> list[int]:
        """What may come next, at most `limit` tokens; nothing if there is no good guess."""
        length = min(DRAFT_TOKENS[self._level], self._limit, limit)
        if length <= 0 or len(self._history) < self._quiet_until:
            return []
        self._learn()
        for run in RUNS:
            key = tuple(self._history[-run:])
            at = self._in_prompt.get(key) or self._in_answer.get(key)
            if at:
                return self._history[at : at + length]
        return []

    def judge(self, drafted: int, right: int) -> None:
        """Note how much of a draft came true."""
        if right == drafted:
            self._level = min(self._level + 1, len(DRAFT_TOKENS) - 1)
        elif right < WORTH_TOKENS:
            self._level = 0
        if right:
            self._pause = 1
        else:
            self._quiet_until = len(self._history) + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_TOKENS)

    def _learn(self) -> None:
        """Remember what stands before each place that is new; a later place replaces earlier."""
        for end in range(max(self._known, 1), len(self._history)):
            places = self._in_prompt if end < self._prompt_tokens else self._in_answer
            for run in RUNS:
                if run <= end:
                    places[tuple(self._history[end - run : end])] = end
        self._known = max(len(self._history), 1)
