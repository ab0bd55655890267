"""From a script and a speaker to an answer: which step becomes which piece, in which order. No dialect, no socket."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from tests.upstreams import faults, script
from tests.upstreams.answer import JSON, Answer, Frame, Hangup, Pause, Piece, Refusal
from tests.upstreams.dialect import Ask, Counts, Dialect, Said, Speaker, count_tokens
from tests.upstreams.refusals import refusal

MakeId = Callable[[], str]


@dataclass(slots=True)
class _Progress:
    """What a stream has said so far."""

    output: int = 0
    reasoning: int = 0
    calls: int = 0
    reason: str = ""
    reported: script.ReportUsage | None = None
    truncated: bool = False
    dead: bool = False
    limit: int | None = None
    half_next: bool = False
    kinds: set[str] = field(default_factory=set)

    def allow(self, piece: str) -> bool:
        """Count a piece of output; say no once the caller's limit is reached."""
        cost = count_tokens(piece)
        if self.limit is not None and self.output + cost > self.limit:
            self.truncated = True
            return False
        self.output += cost
        return True

    def finish_reason(self) -> str:
        """Return why the reply ends."""
        if self.truncated:
            return "length"
        return self.reason or ("tools" if self.calls else "stop")

    def counts(self, ask: Ask) -> Counts:
        """Return the tokens to report."""
        if self.reported is not None:
            told = self.reported
            return Counts(told.input, told.output, told.cached, told.reasoning)
        return Counts(ask.prompt_tokens, self.output, 0, self.reasoning)


def answer(ask: Ask, play: script.Script, speaker: Speaker, dialect: Dialect, request_id: str) -> Answer:
    """Return the answer to a request as the script wants it."""
    before, steps = _opening(play.steps)
    headers = speaker.headers(request_id)
    first = next(steps, None)
    if isinstance(first, script.Fail):
        fault, after, steps = first.fault, first.retry_after, iter(())
    else:
        fault, after = play.fault, play.retry_after
        steps = chain((first,), steps) if first is not None else steps
    if isinstance(first, script.Cut):
        return Answer(None, (), (Hangup(),), before=before)
    if ask.stream:
        pieces: Iterable[Piece] = _stream(ask, steps, speaker, dialect, play.pace)
        made = Answer(200, (("content-type", speaker.stream_type), *headers), pieces, "chunked", before=before)
    else:
        made = _whole(ask, list(steps), speaker, dialect, headers, before)
    if not fault:
        return made
    made = Answer(made.status, made.headers, list(made.pieces), made.framing, made.declared, made.before)
    voice = faults.Voice(ask.stream, dialect.manner, speaker.error, lambda text: speaker.text(text, 0))
    spoiled = faults.lay(fault, made, voice, after=after)
    return (
        spoiled
        if spoiled.before or not before
        else Answer(spoiled.status, spoiled.headers, spoiled.pieces, spoiled.framing, spoiled.declared, before)
    )


def _opening(steps: Iterable[script.Step]) -> tuple[tuple[Piece, ...], Iterator[script.Step]]:
    """Split off the silence that precedes the headers."""
    rest = iter(steps)
    silences: list[Piece] = []
    for step in rest:
        if isinstance(step, script.Stall) and not step.after_headers:
            silences.append(Pause(step.seconds))
            continue
        return tuple(silences), chain((step,), rest)
    return tuple(silences), iter(())


def _stream(ask: Ask, steps: Iterator[script.Step], speaker: Speaker, dialect: Dialect, pace: float) -> Iterator[Piece]:
    done = _Progress(limit=ask.limit)
    opened = False
    for step in steps:
        if isinstance(step, script.Stall) and not opened:
            yield Pause(step.seconds)  # headers are out, nothing is said yet
            continue
        if not opened:
            opened = True
            yield from chain.from_iterable(speaker.open(choice) for choice in range(ask.choices))
        for piece in _pieces(step, done, speaker, dialect, ask.choices):
            if done.half_next and isinstance(piece, Frame):
                yield Frame(piece.kind, piece.data[: len(piece.data) // 2])
                yield Hangup()
                return
            yield piece
            if isinstance(piece, Hangup):
                return
            if pace and isinstance(piece, Frame):
                yield Pause(pace)
        if done.dead:
            return
        if done.truncated:
            break
    closing = [frame for choice in range(ask.choices) for frame in speaker.finish(done.finish_reason(), choice)]
    closing += speaker.close(done.counts(ask))
    if done.half_next:
        closing = [Frame(closing[0].kind, closing[0].data[: len(closing[0].data) // 2])]
    if not opened:
        yield from chain.from_iterable(speaker.open(choice) for choice in range(ask.choices))
    yield from closing
    if done.half_next:
        yield Hangup()


def _pieces(step: script.Step, done: _Progress, speaker: Speaker, dialect: Dialect, choices: int) -> Iterator[Piece]:
    match step:
        case script.Say(text, count):
            for piece in script.pieces_of(text, count):
                if not done.allow(piece):
                    return
                for choice in range(choices):
                    yield from speaker.text(piece, choice)
        case script.Think(text, count):
            for piece in script.pieces_of(text, count):
                if not done.allow(piece):
                    return
                done.reasoning += count_tokens(piece)
                for choice in range(choices):
                    yield from speaker.thought(piece, choice)
        case script.CallTool():
            done.allow(step.text)
            for choice in range(choices):
                parts = script.pieces_of(step.text, step.pieces)
                yield from speaker.call(done.calls, step.id, step.name, parts, choice)
            done.calls += 1
        case script.ReportUsage():
            done.reported = step
        case script.Finish(reason):
            done.reason = reason
        case script.Stall(seconds):
            yield Pause(seconds)
        case script.Cut(in_frame):
            if in_frame:
                done.half_next = True
            else:
                yield Hangup()
        case script.Fail(fault, after):
            yield from speaker.error(refusal(fault, manner=dialect.manner, after=after))
            done.dead = True


def _whole(
    ask: Ask,
    steps: Sequence[script.Step],
    speaker: Speaker,
    dialect: Dialect,
    headers: tuple[tuple[str, str], ...],
    before: tuple[Piece, ...],
) -> Answer:
    done, said = _Progress(limit=ask.limit), Said()
    breaks: list[Piece] = []
    for step in steps:
        match step:
            case script.Fail(fault, after):
                refused = refusal(fault, manner=dialect.manner, after=after).answer()
                return Answer(refused.status, refused.headers, refused.pieces, before=(*before, *breaks))
            case script.Stall(seconds):
                breaks.append(Pause(seconds))
            case script.Cut():
                breaks.append(Hangup())
                break
            case _:
                _collect(step, done, said)
        if done.truncated:
            break
    said.reason = done.finish_reason()
    frames = speaker.whole([said] * ask.choices, done.counts(ask))
    made = Answer(200, (("content-type", JSON), *headers), frames, before=before)
    if not breaks:
        return made
    data = made.body()
    halves = Frame("whole", data[: len(data) // 2]), Frame("whole", data[len(data) // 2 :])
    return Answer(200, made.headers, [halves[0], *breaks, halves[1]], declared=len(data), before=before)


def _collect(step: script.Step, done: _Progress, said: Said) -> None:
    match step:
        case script.Say(text, count):
            said.text += "".join(piece for piece in script.pieces_of(text, count) if done.allow(piece))
        case script.Think(text, count):
            kept = "".join(piece for piece in script.pieces_of(text, count) if done.allow(piece))
            done.reasoning += count_tokens(kept)
            said.thought += kept
        case script.CallTool():
            done.allow(step.text)
            said.calls.append((step.id, step.name, step.text))
            done.calls += 1
        case script.ReportUsage():
            done.reported = step
        case script.Finish(reason):
            done.reason = reason


def refused(what: Refusal, request_id: str) -> Answer:
    """Return a refusal as an answer that carries its request id."""
    return what.answer().with_header("x-request-id", request_id)
