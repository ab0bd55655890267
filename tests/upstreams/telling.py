"""One reply under way: each step of a script said through a speaker, counted and kept. No socket, no order of events.

`play` decides what happens before, between and after the steps.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams import script
from tests.upstreams.answer import Frame, Hangup, Pause, Piece
from tests.upstreams.dialect import Ask, Speaker, count_tokens
from tests.upstreams.refusals import refusal
from tests.upstreams.said import Citation, Counts, End, Said, Searched, Thought, ToolCall

# Stands before the frame of which only half is sent.
HALF = Frame("half", b"")


@dataclass(slots=True)
class Telling:
    """Who asked, who speaks, what was said so far."""

    ask: Ask
    speaker: Speaker
    manner: str
    output: int = 0
    reasoning: int = 0
    searches: int = 0
    calls: int = 0
    declined: bool = False
    stopped_by: str = ""
    wanted: script.Finish | None = None
    reported: script.ReportUsage | None = None
    truncated: bool = False
    dead: bool = False
    said: list[Said] = field(init=False)

    def __post_init__(self) -> None:
        self.said = [Said() for _ in range(self.ask.choices)]

    @property
    def over(self) -> bool:
        """Say whether nothing more can be said."""
        return self.truncated or bool(self.stopped_by)

    def tell(self, step: script.Step) -> Iterator[Piece]:
        """Say one step."""
        return _STEPS[type(step)](self, step)

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
        """Say something in every choice, in turn."""
        for choice in range(self.ask.choices):
            yield from frames(choice)

    def end(self) -> End:
        """Return why the reply ends."""
        if self.truncated:
            return End("length")
        if self.stopped_by:
            return End("stop_sequence", self.stopped_by)
        if self.wanted is not None:
            return End(self.wanted.reason, self.wanted.value)
        if self.declined:
            return End("refusal")
        return End("tools" if self.calls else "stop")

    def counts(self) -> Counts:
        """Return the tokens to report."""
        told = self.reported
        if told is None:
            return Counts(self.ask.prompt_tokens, self.output, reasoning=self.reasoning, searches=self.searches)
        return Counts(
            told.input,
            told.output,
            told.cached,
            told.reasoning,
            told.cache_write or told.cache_write_5m + told.cache_write_1h,
            told.cache_write_5m or (0 if told.cache_write_1h else told.cache_write),
            told.cache_write_1h,
            told.tool_prompt,
            told.audio_in,
            self.searches,
        )


def _say(telling: Telling, step: script.Say) -> Iterator[Piece]:
    text = step.text
    found = [(text.find(stop), stop) for stop in telling.ask.stops if stop and stop in text]
    if found:
        where, telling.stopped_by = min(found)
        text = text[:where]
    for piece in telling.allowed(text, step.pieces):

        def say(choice: int, piece: str = piece) -> list[Frame]:
            telling.said[choice].add_text(piece)
            return telling.speaker.text(piece, choice)

        yield from telling.each_choice(say)


def _think(telling: Telling, step: script.Think) -> Iterator[Piece]:
    if not telling.ask.thinks:
        return
    thoughts = [Thought(redacted=step.redacted) for _ in telling.said]
    for said, thought in zip(telling.said, thoughts, strict=True):
        said.parts.append(thought)
    for piece in telling.allowed(step.text, step.pieces):
        telling.reasoning += count_tokens(piece)

        def show(choice: int, piece: str = piece) -> list[Frame]:
            thoughts[choice].text += piece
            return [] if step.redacted else telling.speaker.thought(piece, choice)

        yield from telling.each_choice(show)

    def done(choice: int) -> list[Frame]:
        thoughts[choice].signature = step.signature or telling.speaker.sign(thoughts[choice].text)
        return telling.speaker.thought_done(thoughts[choice], choice)

    yield from telling.each_choice(done)


def _refuse(telling: Telling, step: script.Refuse) -> Iterator[Piece]:
    telling.declined = True
    for piece in telling.allowed(step.text, step.pieces):

        def decline(choice: int, piece: str = piece) -> list[Frame]:
            telling.said[choice].add_declined(piece)
            return telling.speaker.declined(piece, choice)

        yield from telling.each_choice(decline)


def _call_tool(telling: Telling, step: script.CallTool) -> Iterator[Piece]:
    index = _count_call(telling, step)
    parts = script.pieces_of(step.text, step.pieces)
    yield from telling.each_choice(
        lambda choice: telling.speaker.call(_note_call(telling, step, index, choice), parts, choice)
    )


def _together(telling: Telling, step: script.Together) -> Iterator[Piece]:
    indexes = [_count_call(telling, call) for call in step.calls]

    def all_at_once(choice: int) -> list[Frame]:
        calls = [
            (_note_call(telling, call, index, choice), script.pieces_of(call.text, call.pieces))
            for call, index in zip(step.calls, indexes, strict=True)
        ]
        return telling.speaker.calls(calls, choice)

    yield from telling.each_choice(all_at_once)


def _count_call(telling: Telling, step: script.CallTool) -> int:
    telling.calls += 1
    telling.output += count_tokens(step.text)
    return telling.calls - 1


def _note_call(telling: Telling, step: script.CallTool, index: int, choice: int) -> ToolCall:
    """Keep a call. Without a name in the script every choice has an id of its own."""
    id = step.id or telling.speaker.new_id("custom" if step.custom else "call")
    call = ToolCall(index, id, step.name, step.text, step.namespace, step.custom)
    telling.said[choice].parts.append(call)
    return call


def _cite(telling: Telling, step: script.Cite) -> Iterator[Piece]:
    def name(choice: int) -> list[Frame]:
        citation = Citation(step.url, step.title)
        telling.said[choice].parts.append(citation)
        return telling.speaker.cite(citation, choice)

    return telling.each_choice(name)


def _search(telling: Telling, step: script.Search) -> Iterator[Piece]:
    telling.searches += 1

    def show(choice: int) -> list[Frame]:
        searched = Searched(telling.speaker.new_id("search"), step.query, step.results)
        telling.said[choice].parts.append(searched)
        return telling.speaker.searched(searched, choice)

    return telling.each_choice(show)


def _report_usage(telling: Telling, step: script.ReportUsage) -> Iterator[Piece]:
    telling.reported = step
    return iter(())


def _finish(telling: Telling, step: script.Finish) -> Iterator[Piece]:
    telling.wanted = step
    return iter(())


def _stall(_: Telling, step: script.Stall) -> Iterator[Piece]:
    yield Pause(step.seconds)


def _cut(_: Telling, step: script.Cut) -> Iterator[Piece]:
    yield HALF if step.in_frame else Hangup()


def _fail(telling: Telling, step: script.Fail) -> Iterator[Piece]:
    telling.dead = True
    yield from telling.speaker.error(refusal(step.fault, manner=telling.manner, after=step.retry_after))


_STEPS: dict[type, Callable[[Telling, Any], Iterator[Piece]]] = {
    script.Say: _say,
    script.Think: _think,
    script.Refuse: _refuse,
    script.CallTool: _call_tool,
    script.Together: _together,
    script.Cite: _cite,
    script.Search: _search,
    script.ReportUsage: _report_usage,
    script.Finish: _finish,
    script.Stall: _stall,
    script.Cut: _cut,
    script.Fail: _fail,
}
