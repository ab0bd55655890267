"""From a script and a speaker to an answer: which step becomes which piece, in which order. No dialect, no socket."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from tests.upstreams import faults, script
from tests.upstreams.answer import JSON, Answer, Frame, Hangup, Pause, Piece, Refusal
from tests.upstreams.dialect import Ask, Dialect, Speaker
from tests.upstreams.refusals import refusal
from tests.upstreams.telling import HALF, Telling

Headers = tuple[tuple[str, str], ...]


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
    telling = Telling(ask, speaker, dialect.manner)
    told = (
        [step for step in play.steps if isinstance(step, script.ReportUsage)] if isinstance(play.steps, tuple) else []
    )
    telling.reported = told[-1] if told else None
    speaker.expect(telling.counts())
    headers = speaker.headers(request_id)
    if ask.stream:
        pieces = _paced(_halved(_told(telling, steps)), play.pace)
        made = Answer(200, (("content-type", speaker.stream_type), *headers), pieces, "chunked")
    else:
        made = _whole(telling, steps, headers)
    if fault:
        voice = faults.Voice(ask.stream, dialect.manner, speaker)
        made = faults.lay(fault, replace(made, pieces=list(made.pieces)), voice, after=after)
    return replace(made, before=(*before, *made.before))


def refused(what: Refusal, request_id: str) -> Answer:
    """Return a refusal as an answer that carries its request id, also in the body where there is a place for it."""
    if isinstance(what.body, dict) and "request_id" in what.body:
        what = replace(what, body={**what.body, "request_id": request_id})
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


def _told(telling: Telling, steps: Iterator[script.Step]) -> Iterator[Piece]:
    """Tell a stream: silence after the headers, the opening, the steps, the closing."""
    first = next(steps, None)
    while isinstance(first, script.Stall):
        yield Pause(first.seconds)
        first = next(steps, None)
    yield from telling.each_choice(telling.speaker.open)
    for step in chain(() if first is None else (first,), steps):
        yield from telling.tell(step)
        if telling.dead:
            return
        if telling.over:
            break
    end = telling.end()
    yield from telling.each_choice(lambda choice: telling.speaker.finish(end, choice))
    yield from telling.speaker.close(telling.counts())


def _halved(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """After the mark, send half of the next frame and hang up."""
    for piece in pieces:
        if piece is not HALF:
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


def _whole(telling: Telling, steps: Iterator[script.Step], headers: Headers) -> Answer:
    """Collect the steps into one body; silences and cuts stand in its middle."""
    breaks: list[Piece] = []
    for step in steps:
        if isinstance(step, script.Fail):
            failed = refusal(step.fault, manner=telling.manner, after=step.retry_after).answer()
            return replace(failed, before=tuple(breaks))
        # A stream's pieces are counted the same way, then thrown away: only what was said is kept.
        breaks += [piece for piece in telling.tell(step) if not isinstance(piece, Frame)]
        if isinstance(step, script.Cut):
            breaks.append(Hangup())
        if isinstance(step, script.Cut) or telling.over:
            break
    for said in telling.said:
        said.end = telling.end()
    frames = telling.speaker.whole(telling.said, telling.counts())
    made = Answer(200, (("content-type", JSON), *headers), frames)
    if not breaks:
        return made
    data = made.body()
    first, second = Frame("whole", data[: len(data) // 2]), Frame("whole", data[len(data) // 2 :])
    return replace(made, pieces=[first, *breaks, second], declared=len(data))
