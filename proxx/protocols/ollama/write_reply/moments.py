"""When an answer was said, as Ollama tells it: a time on each line, and durations in nanoseconds on the last.

The times are the gateway's own: what it waited for the first word is reading the prompt, the rest is answering.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from proxx.protocols.ollama.write_reply.telling import Telling

_SECOND = 1_000_000_000


class Moments:
    """One answer's clock: unix seconds at which the call began, and the nanoseconds since then."""

    __slots__ = ("_created", "_elapsed", "_first", "_second", "_stamp")

    def __init__(self, created: int, elapsed_ns: Callable[[], int]) -> None:
        self._created, self._elapsed = created, elapsed_ns
        self._first = -1
        self._second = -1
        self._stamp = b""

    def begun(self) -> None:
        """Note that something of the answer is said now, if nothing was before."""
        if self._first < 0:
            self._first = self._elapsed()

    def now(self) -> bytes:
        """Return the time in RFC 3339 with nanoseconds."""
        second, rest = divmod(self._elapsed(), _SECOND)
        if second != self._second:  # formatting a date costs more than a whole line
            self._second = second
            said = datetime.fromtimestamp(self._created + second, UTC)
            self._stamp = said.strftime("%Y-%m-%dT%H:%M:%S.").encode()
        return b"%b%09dZ" % (self._stamp, rest)

    def ending(self, telling: Telling) -> dict[str, object]:
        """Return the members of an answer that is over: why, how long, and how many tokens where that is known."""
        total = self._elapsed()
        first = total if self._first < 0 else self._first
        ending: dict[str, object] = {"done_reason": telling.done_reason, "total_duration": total, "load_duration": 0}
        usage = telling.usage
        if usage is not None and usage.input_total is not None:
            ending["prompt_eval_count"] = usage.input_total
        ending["prompt_eval_duration"] = first
        if usage is not None and usage.output_total is not None:
            ending["eval_count"] = usage.output_total
        ending["eval_duration"] = total - first
        return ending
