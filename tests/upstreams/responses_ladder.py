"""The output of one Responses reply, item by item, and the events that tell of it. No bytes, no requests.

Every method returns events as (kind of frame, type, members); numbers are given to them when they leave.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.ids import letters
from tests.upstreams.said import Citation, Searched, ToolCall

Event = tuple[str, str, dict[str, Any]]


@dataclass(slots=True)
class Manner:
    """How a model shows its reasoning and its messages."""

    summary: bool = False  # a summary was asked for
    raw: bool = False  # an open model: the reasoning itself is shown
    sealed: bool = False  # encrypted content was asked for
    phases: bool = False


@dataclass(slots=True)
class Ladder:
    """The items so far; at most one message or reasoning item is open."""

    manner: Manner
    items: list[dict[str, Any]] = field(default_factory=list)
    _open: dict[str, Any] | None = None
    _thought: str = ""

    # Messages.

    def say(self, piece: str) -> list[Event]:
        """Say text."""
        return [*self._part("output_text"), self._delta("response.output_text.delta", "text", piece)]

    def decline(self, piece: str) -> list[Event]:
        """Say a refusal."""
        return [*self._part("refusal"), self._delta("response.refusal.delta", "refusal", piece)]

    def cite(self, citation: Citation) -> list[Event]:
        """Name a source of all the text of the open part."""
        opening = self._part("output_text")
        part = self._last_part()
        note = {
            "type": "url_citation",
            "start_index": 0,
            "end_index": len(part["text"]),
            "url": citation.url,
            "title": citation.title,
        }
        part["annotations"].append(note)
        where = {**self._place(), "annotation_index": len(part["annotations"]) - 1}
        return [*opening, ("text", "response.output_text.annotation.added", {**where, "annotation": note})]

    def more(self, piece: str) -> list[Event]:
        """Return one more piece of the last message, although it is over (for faults)."""
        index = next((at for at, item in enumerate(self.items) if item["type"] == "message"), 0)
        id = self.items[index]["id"] if self.items else ""
        place = {"item_id": id, "output_index": index, "content_index": 0}
        return [("text", "response.output_text.delta", {**place, "delta": piece, "logprobs": []})]

    # Reasoning.

    def think(self, piece: str) -> list[Event]:
        """Show reasoning; each paragraph is a part of the summary."""
        events = self._reasoning()
        self._thought += piece
        if self.manner.raw:
            events += self._raw(piece)
        if self.manner.summary:
            whole = self._thought.rstrip("\n")  # a line end may become the end of a part
            events += self._summary(whole.split("\n\n"))
        return events

    def thought_done(self, seal: Callable[[str], str]) -> list[Event]:
        """End the reasoning; `seal` takes the id of its item and returns its sealed text."""
        events = self._reasoning()
        assert self._open is not None
        if self.manner.sealed:
            self._open["encrypted_content"] = seal(self._open["id"])
        return [*events, *self.close()]

    def _reasoning(self) -> list[Event]:
        if self._open is not None and self._open["type"] == "reasoning":
            return []
        closing = self.close()
        self._thought = ""
        item: dict[str, Any] = {"id": f"rs_{letters(48)}", "type": "reasoning", "summary": []}
        if self.manner.raw:
            item["content"] = []
        if self.manner.sealed:
            item["encrypted_content"] = f"gAAAAAB{letters(24)}=="  # the value at the end is the one to keep
        return [*closing, *self._begin(item)]

    def _summary(self, paragraphs: list[str]) -> list[Event]:
        assert self._open is not None
        parts, events = self._open["summary"], []
        for index, text in enumerate(paragraphs):
            if index == len(parts):
                events += self._end_summary()
                parts.append({"type": "summary_text", "text": ""})
                where = {**self._item_place(), "summary_index": index, "part": {"type": "summary_text", "text": ""}}
                events.append(("thought", "response.reasoning_summary_part.added", where))
            more = text[len(parts[index]["text"]) :]
            if more:
                parts[index]["text"] = text
                where = {**self._item_place(), "summary_index": index, "delta": more}
                events.append(("thought", "response.reasoning_summary_text.delta", where))
        return events

    def _end_summary(self) -> list[Event]:
        assert self._open is not None
        parts = self._open["summary"]
        if not parts:
            return []
        where = {**self._item_place(), "summary_index": len(parts) - 1}
        return [
            ("thought", "response.reasoning_summary_text.done", {**where, "text": parts[-1]["text"]}),
            ("thought", "response.reasoning_summary_part.done", {**where, "part": dict(parts[-1])}),
        ]

    def _raw(self, piece: str) -> list[Event]:
        assert self._open is not None
        content = self._open["content"]
        events: list[Event] = []
        if not content:
            content.append({"type": "reasoning_text", "text": ""})
            part = {"part": dict(content[0])}
            events.append(
                ("thought", "response.content_part.added", {**self._item_place(), "content_index": 0, **part})
            )
        content[0]["text"] += piece
        where = {**self._item_place(), "content_index": 0, "delta": piece}
        return [*events, ("thought", "response.reasoning_text.delta", where)]

    # Calls and searches.

    def call(self, calls: Sequence[tuple[ToolCall, Sequence[str]]]) -> list[Event]:
        """Call tools: all begin, then their pieces in turn, then each ends; one call is only a shorter case."""
        events = self.close()
        begun = [(len(self.items) + at, call, _call_item(call)) for at, (call, _) in enumerate(calls)]
        for index, _, item in begun:
            self.items.append(item)
            events.append(("call", "response.output_item.added", {"output_index": index, "item": dict(item)}))
        for turn in itertools.zip_longest(*(pieces for _, pieces in calls)):
            for (index, call, item), piece in zip(begun, turn, strict=True):
                if piece is not None:
                    kind = "response.custom_tool_call_input" if call.custom else "response.function_call_arguments"
                    events.append(("call", f"{kind}.delta", {**_at(index, item), "delta": piece}))
        for index, call, item in begun:
            events += self._call_done(index, call, item)
        return events

    def _call_done(self, index: int, call: ToolCall, item: dict[str, Any]) -> list[Event]:
        item["status"] = "completed"
        if call.custom:
            item["input"] = call.text
            done = ("call", "response.custom_tool_call_input.done", {**_at(index, item), "input": call.text})
        else:
            item["arguments"] = call.text
            said = {**_at(index, item), "name": call.name, "arguments": call.text}
            done = ("call", "response.function_call_arguments.done", said)
        return [done, ("call", "response.output_item.done", {"output_index": index, "item": dict(item)})]

    def search(self, searched: Searched, *, with_sources: bool) -> list[Event]:
        """Show a web search that the service did itself."""
        events = self.close()
        action: dict[str, Any] = {"type": "search", "query": searched.query}
        if with_sources:
            action["sources"] = [{"type": "url", "url": url} for _, url in searched.results]
        item = {"id": searched.id, "type": "web_search_call", "status": "in_progress"}
        events += self._begin(item)
        where = self._item_place()
        for state in ("in_progress", "searching", "completed"):
            events.append(("call", f"response.web_search_call.{state}", dict(where)))
        item |= {"status": "completed", "action": action}
        return [*events, *self.close()]

    def compact(self, id: str, blob: str) -> list[Event]:
        """Give back the conversation as one sealed item."""
        events = self.close() + self._begin({"id": id, "type": "compaction", "encrypted_content": blob})
        return [*events, *self.close()]

    # Beginning and end of items.

    def close(self, *, status: str = "completed", last: bool = False) -> list[Event]:
        """End the open item; `last` says that nothing follows."""
        item = self._open
        if item is None:
            return []
        events: list[Event] = []
        if item["type"] == "message":
            events += self._end_part()
            item["status"] = status
            if self.manner.phases:
                item["phase"] = "final_answer" if last else "commentary"
        elif item["type"] == "reasoning":
            events += self._end_reasoning()
        kind = "thought" if item["type"] == "reasoning" else "text"
        index = self.items.index(item)
        self._open = None
        return [*events, (kind, "response.output_item.done", {"output_index": index, "item": _copy(item)})]

    def _end_reasoning(self) -> list[Event]:
        assert self._open is not None
        events: list[Event] = []
        content = self._open.get("content")
        if content:
            where = {**self._item_place(), "content_index": 0}
            events.append(("thought", "response.reasoning_text.done", {**where, "text": content[0]["text"]}))
            events.append(("thought", "response.content_part.done", {**where, "part": dict(content[0])}))
        return events + self._end_summary()

    def _begin(self, item: dict[str, Any]) -> list[Event]:
        self.items.append(item)
        self._open = item
        added = {"output_index": len(self.items) - 1, "item": _copy(item)}
        return [("open", "response.output_item.added", added)]

    def _part(self, kind: str) -> list[Event]:
        """Open a message and a part of that kind, unless they are open."""
        events: list[Event] = []
        if self._open is None or self._open["type"] != "message":
            events += self.close()
            message = {"id": f"msg_{letters(48)}", "type": "message", "status": "in_progress", "role": "assistant"}
            events += self._begin({**message, "content": []})
        assert self._open is not None
        content = self._open["content"]
        if content and content[-1]["type"] == kind:
            return events
        events += self._end_part()
        content.append({"type": kind, "annotations": [], "logprobs": [], "text": ""} if kind == "output_text" else {
            "type": kind, "refusal": "",
        })  # fmt: skip
        return [*events, ("open", "response.content_part.added", {**self._place(), "part": _copy(content[-1])})]

    def _end_part(self) -> list[Event]:
        assert self._open is not None
        if not self._open["content"]:
            return []
        part, where = self._last_part(), self._place()
        if part["type"] == "refusal":
            done = ("text", "response.refusal.done", {**where, "refusal": part["refusal"]})
        else:
            done = ("text", "response.output_text.done", {**where, "text": part["text"], "logprobs": []})
        return [done, ("text", "response.content_part.done", {**where, "part": _copy(part)})]

    def _delta(self, type: str, member: str, piece: str) -> Event:
        self._last_part()[member] += piece
        extra = {"logprobs": []} if member == "text" else {}
        return ("text", type, {**self._place(), "delta": piece, **extra})

    def _last_part(self) -> dict[str, Any]:
        assert self._open is not None
        part: dict[str, Any] = self._open["content"][-1]
        return part

    def _item_place(self) -> dict[str, Any]:
        assert self._open is not None
        return _at(self.items.index(self._open), self._open)

    def _place(self) -> dict[str, Any]:
        assert self._open is not None
        return {**self._item_place(), "content_index": len(self._open["content"]) - 1}


def _at(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"item_id": item["id"], "output_index": index}


def _call_item(call: ToolCall) -> dict[str, Any]:
    kind, prefix, member = ("custom_tool_call", "ctc", "input") if call.custom else ("function_call", "fc", "arguments")
    item = {"id": f"{prefix}_{letters(48)}", "type": kind, "status": "in_progress", "call_id": call.id}
    return {**item, "name": call.name, **({"namespace": call.namespace} if call.namespace else {}), member: ""}


def _copy(item: dict[str, Any]) -> dict[str, Any]:
    """Copy what grows: an event holds what was there when it left."""
    grown = {name: [dict(part) for part in item[name]] for name in ("content", "summary") if name in item}
    return {**item, **grown}
