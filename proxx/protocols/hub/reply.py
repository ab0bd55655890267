"""A whole reply, and the two ways between it and events: what is said at once and what is said piece by piece agree.

`fold` collects events into a `Reply`, `unfold` tells a `Reply` as events. Every reader and writer uses one of them, so
that whole and streamed answers cannot drift apart.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Ended,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Citation, Part, Reasoning, Refusal, Text, ToolCall


class Choice(msgspec.Struct, frozen=True):
    """One answer: its parts in order, and why it ended. `phases` holds the phase of each part that has one, by
    place."""

    parts: tuple[Part, ...] = ()
    finish: Finished = Finished("other")
    phases: dict[int, str] = {}


class Reply(msgspec.Struct, frozen=True):
    """One whole reply. `id` and `model` are the upstream's own. `vectors` are embeddings, one for each text, in the
    upstream's own spelling of a JSON list of numbers."""

    choices: tuple[Choice, ...]
    id: str = ""
    model: str = ""
    created: int | None = None
    usage: Usage | None = None
    vectors: tuple[bytes, ...] = ()


def joined(replies: Sequence[Reply]) -> Reply:
    """Return the replies to the parts of one request as one: in their order, their usage added up."""
    if len(replies) == 1:
        return replies[0]
    used = [one.usage for one in replies if one.usage is not None]
    return msgspec.structs.replace(
        replies[0],
        choices=tuple(choice for one in replies for choice in one.choices),
        vectors=tuple(vector for one in replies for vector in one.vectors),
        usage=summed(used) if used else None,
    )


def summed(used: Sequence[Usage]) -> Usage:
    """Return the usage of several replies in one; what none of them counted stays unknown."""
    counts = {
        name: sum(known)
        for name in Usage.__struct_fields__
        if name not in _SAID_OF_ALL and (known := [n for one in used if (n := getattr(one, name)) is not None])
    }
    return Usage(
        estimated=any(one.estimated for one in used),
        doubtful=any(one.doubtful for one in used),
        tier=next((one.tier for one in used if one.tier), ""),
        **counts,
    )


_SAID_OF_ALL = ("estimated", "doubtful", "tier")


class _Growing:
    """One part while its deltas arrive."""

    __slots__ = ("args", "blob", "citations", "logprobs", "opened", "summary", "texts", "whole")

    def __init__(self, opened: PartOpened) -> None:
        self.opened = opened
        self.texts: list[str] = []
        self.args: list[str] = []
        self.summary: dict[int, list[str]] = {}
        self.citations: list[Citation] = []
        self.logprobs: list[dict[str, Any]] = []
        self.blob: Blob | None = None
        self.whole: Part | None = None

    def part(self) -> Part:
        opened, text = self.opened, "".join(self.texts)
        if self.whole is not None:
            return self.whole
        match opened.kind:
            case "text":
                return Text(text, tuple(self.citations), self.blob, None, tuple(self.logprobs))
            case "refusal":
                return Refusal(text)
            case "reasoning":
                summary = tuple("".join(self.summary[index]) for index in sorted(self.summary))
                return Reasoning(text, summary, self.blob, opened.item_id)
            case "call":
                return ToolCall(
                    id=opened.id,
                    name=opened.name,
                    args="".join(self.args),
                    namespace=opened.namespace,
                    kind=opened.tool_kind,
                    blob=self.blob,
                    item_id=opened.item_id,
                )
        raise ValueError(f"a part of kind {opened.kind} closes with its whole")


def fold(events: Iterable[Event]) -> Reply:
    """Collect a complete series of events into a reply; raise `ValueError` if it did not end well."""
    started = Started()
    usage: Usage | None = None
    growing: dict[int, _Growing] = {}
    finished: dict[int, Finished] = {}
    ended = False
    for event in events:
        match event:
            case Started():
                started, usage = event, event.usage or usage
            case PartOpened():
                growing[event.part] = _Growing(event)
            case UsageReported():
                usage = event.usage
            case Finished():
                finished[event.choice] = event
            case Ended():
                ended = True
            case _:
                _grow(growing, event)
    if not ended:
        raise ValueError("the reply did not come to its end")
    choices = tuple(_choice(finished[choice], growing) for choice in sorted(finished))
    return Reply(choices, started.id, started.model, started.created, usage)


def _choice(finish: Finished, growing: dict[int, _Growing]) -> Choice:
    own = [growing[part] for part in sorted(growing) if growing[part].opened.choice == finish.choice]
    phases = {place: one.opened.phase for place, one in enumerate(own) if one.opened.phase}
    return Choice(tuple(one.part() for one in own), finish, phases)


def _grow(growing: dict[int, _Growing], event: Event) -> None:
    match event:
        case TextDelta() | ReasoningDelta():
            growing[event.part].texts.append(event.text)
        case ArgsDelta():
            growing[event.part].args.append(event.text)
        case SummaryDelta():
            growing[event.part].summary.setdefault(event.index, []).append(event.text)
        case BlobGiven():
            growing[event.part].blob = event.blob
        case Cited():
            growing[event.part].citations.append(event.citation)
        case LogprobsGiven():
            growing[event.part].logprobs.extend(event.tokens)
        case PartClosed():
            growing[event.part].whole = event.whole
        case _:
            raise ValueError(f"{type(event).__name__} is no complete reply")


def unfold(reply: Reply) -> list[Event]:
    """Tell a whole reply as events: each part opened, said in one delta, and closed."""
    events: list[Event] = [Started(reply.id, reply.model, reply.created)]
    number = 0
    for index, choice in enumerate(reply.choices):
        for place, part in enumerate(choice.parts):
            events += _told(part, number, index, choice.phases.get(place, ""))
            number += 1
        events.append(msgspec.structs.replace(choice.finish, choice=index))
    if reply.usage is not None:
        events.append(UsageReported(reply.usage))
    events.append(Ended())
    return events


def _told(part: Part, number: int, choice: int, phase: str) -> list[Event]:
    deltas: list[Event] = []
    whole: Part | None = None
    match part:
        case Text():
            opened = PartOpened(number, "text", choice, phase=phase)
            deltas += [TextDelta(number, part.text)] if part.text else []
            deltas += [Cited(number, citation) for citation in part.citations]
            deltas += [LogprobsGiven(number, part.logprobs)] if part.logprobs else []
        case Refusal():
            opened = PartOpened(number, "refusal", choice, phase=phase)
            deltas += [TextDelta(number, part.text)] if part.text else []
        case Reasoning():
            opened = PartOpened(number, "reasoning", choice, item_id=part.item_id)
            deltas += [SummaryDelta(number, index, text) for index, text in enumerate(part.summary)]
            deltas += [ReasoningDelta(number, part.text)] if part.text else []
        case ToolCall():
            opened = PartOpened(number, "call", choice, part.id, part.name, part.namespace, part.kind, part.item_id)
            deltas += [ArgsDelta(number, part.args)] if part.args else []
        case _:
            opened, whole = PartOpened(number, "whole", choice, phase=phase), part
    if isinstance(part, Text | Reasoning | ToolCall) and part.blob is not None:
        deltas.append(BlobGiven(number, part.blob))
    return [opened, *deltas, PartClosed(number, whole)]
