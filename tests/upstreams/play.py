"""From a script and a speaker to an answer: which step becomes which piece, in which order. No dialect, no socket."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

from tests.upstreams import faults, script
from tests.upstreams.answer import JSON, Answer, Frame, Hangup, Pause, Piece, Refusal
from tests.upstreams.dialect import Ask, Counts, Dialect, Said, Speaker, count_tokens
from tests.upstreams.refusals import refusal

Headers = tuple[tuple[str, str], ...]

# Stands before the frame of which only half is sent.
_HALF = Frame("half", b"")


@dataclass(slots=True)
class _Telling:
    """One reply under way: who asked, who speaks, what was said so far."""

    ask: Ask
    speaker: Speaker
    manner: str
    output: int = 0
    reasoning: int = 0
    calls: int = 0
    reason: str = ""
    reported: script.ReportUsage | None = None
    truncated: bool = False
    dead: bool = False
    said: Said = field(default_factory=Said)

    def allowed(self, text: str, count: int) -> Iterator[str]:
        """Split a text and count each piece; end early at the caller's limit."""
        for piece in script.pieces_of(text, count):
            cost = count_tokens(piece)
            if self.ask.limit is not None and self.output + cost > self.ask.limit:
                self.truncated = True
                return
            self.output += cost
            yield piece

    def each_choice(self, frames: Callable[[int], list[Frame]]) -> Iterator[Frame]:
        """Say the same in every choice, in turn."""
        return chain.from_iterable(frames(choice) for choice in range(self.ask.choices))

    def finish_reason(self) -> str:
        """Return why the reply ends."""
        if self.truncated:
            return "length"
        return self.reason or ("tools" if self.calls else "stop")

    def counts(self) -> Counts:
        """Return the tokens to report."""
        told = self.reported
        if told is not None:
            return Counts(told.input, told.output, told.cached, told.reasoning)
        return Counts(self.ask.prompt_tokens, self.output, 0, self.reasoning)


def answer(ask: Ask, play: script.Script, speaker: Speaker, dialect: Dialect, request_id: str) -> Answer:
    """Return the answer to a request as the script wants it; raise KeyError for a fault that nobody knows."""
    before, steps = _opening(play.steps)
    fault, after = play.fault, play.retry_after
    first = next(steps, None)
    if isinstance(first, script.Cut):
        return Answer(None, pieces=(Hangup(),), before=before)
    if isinstance(first, script.Fail):
        fault, after, steps = first.fault, first.retry_after, iter(())
    elif first is not None:
        steps = chain((first,), steps)
    telling = _Telling(ask, speaker, dialect.manner)
    headers = speaker.headers(request_id)
    if ask.stream:
        pieces = _paced(_halved(_told(telling, steps)), play.pace)
        made = Answer(200, (("content-type", speaker.stream_type), *headers), pieces, "chunked")
    else:
        made = _whole(telling, steps, headers)
    if fault:
        voice = faults.Voice(ask.stream, dialect.manner, speaker.error, lambda text: speaker.text(text, 0))
        made = faults.lay(fault, replace(made, pieces=list(made.pieces)), voice, after=after)
    return replace(made, before=(*before, *made.before))


def refused(what: Refusal, request_id: str) -> Answer:
    """Return a refusal as an answer that carries its request id."""
    return what.answer().with_header("x-request-id", request_id)


def _opening(steps: Iterable[script.Step]) -> tuple[tuple[Piece, ...], Iterator[script.Step]]:
    """Split off the silence that precedes the headers."""
    rest = iter(steps)
    silences: list[Piece] = []
    for step in rest:
        if not isinstance(step, script.Stall) or step.after_headers:
            return tuple(silences), chain((step,), rest)
        silences.append(Pause(step.seconds))
    return tuple(silences), iter(())


def _told(telling: _Telling, steps: Iterator[script.Step]) -> Iterator[Piece]:
    """Tell a stream: silence after the headers, the opening, the steps, the closing."""
    first = next(steps, None)
    while isinstance(first, script.Stall):
        yield Pause(first.seconds)
        first = next(steps, None)
    yield from telling.each_choice(telling.speaker.open)
    for step in chain(() if first is None else (first,), steps):
        yield from _STREAMED[type(step)](telling, step)
        if telling.dead:
            return
        if telling.truncated:
            break
    reason = telling.finish_reason()
    yield from telling.each_choice(lambda choice: telling.speaker.finish(reason, choice))
    yield from telling.speaker.close(telling.counts())


def _halved(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """After the mark, send half of the next frame and hang up."""
    for piece in pieces:
        if piece is not _HALF:
            yield piece
            continue
        frame = next(piece for piece in pieces if isinstance(piece, Frame))
        yield Frame(frame.kind, frame.data[: len(frame.data) // 2])
        yield Hangup()
        return


def _paced(pieces: Iterator[Piece], pace: float) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        if pace and isinstance(piece, Frame):
            yield Pause(pace)


def _whole(telling: _Telling, steps: Iterator[script.Step], headers: Headers) -> Answer:
    """Collect the steps into one body; silences and cuts stand in its middle."""
    breaks: list[Piece] = []
    for step in steps:
        if isinstance(step, script.Fail):
            failed = refusal(step.fault, manner=telling.manner, after=step.retry_after).answer()
            return replace(failed, before=tuple(breaks))
        # A stream's pieces are counted the same way, then thrown away: only what was said is kept.
        breaks += [piece for piece in _STREAMED[type(step)](telling, step) if not isinstance(piece, Frame)]
        if isinstance(step, script.Cut):
            breaks.append(Hangup())
        if isinstance(step, script.Cut) or telling.truncated:
            break
    telling.said.reason = telling.finish_reason()
    frames = telling.speaker.whole([telling.said] * telling.ask.choices, telling.counts())
    made = Answer(200, (("content-type", JSON), *headers), frames)
    if not breaks:
        return made
    data = made.body()
    first, second = Frame("whole", data[: len(data) // 2]), Frame("whole", data[len(data) // 2 :])
    return replace(made, pieces=[first, *breaks, second], declared=len(data))


def _say(telling: _Telling, step: script.Say) -> Iterator[Piece]:
    for piece in telling.allowed(step.text, step.pieces):
        telling.said.text += piece
        yield from telling.each_choice(partial(telling.speaker.text, piece))


def _think(telling: _Telling, step: script.Think) -> Iterator[Piece]:
    for piece in telling.allowed(step.text, step.pieces):
        telling.reasoning += count_tokens(piece)
        telling.said.thought += piece
        yield from telling.each_choice(partial(telling.speaker.thought, piece))


def _call_tool(telling: _Telling, step: script.CallTool) -> Iterator[Piece]:
    index, parts = telling.calls, script.pieces_of(step.text, step.pieces)
    telling.calls += 1
    telling.output += count_tokens(step.text)
    telling.said.calls.append((step.id, step.name, step.text))
    yield from telling.each_choice(lambda choice: telling.speaker.call(index, step.id, step.name, parts, choice))


def _report_usage(telling: _Telling, step: script.ReportUsage) -> Iterator[Piece]:
    telling.reported = step
    return iter(())


def _finish(telling: _Telling, step: script.Finish) -> Iterator[Piece]:
    telling.reason = step.reason
    return iter(())


def _stall(_: _Telling, step: script.Stall) -> Iterator[Piece]:
    yield Pause(step.seconds)


def _cut(_: _Telling, step: script.Cut) -> Iterator[Piece]:
    yield _HALF if step.in_frame else Hangup()


def _fail(telling: _Telling, step: script.Fail) -> Iterator[Piece]:
    telling.dead = True
    yield from telling.speaker.error(refusal(step.fault, manner=telling.manner, after=step.retry_after))


_STREAMED: dict[type, Callable[[_Telling, Any], Iterator[Piece]]] = {
    script.Say: _say,
    script.Think: _think,
    script.CallTool: _call_tool,
    script.ReportUsage: _report_usage,
    script.Finish: _finish,
    script.Stall: _stall,
    script.Cut: _cut,
    script.Fail: _fail,
}
