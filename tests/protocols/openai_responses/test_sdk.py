"""The vendor's own library reads what is written here: every event, the whole resource, and its stream helper."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from proxx.protocols.hub.events import Event
from proxx.protocols.hub.parts import Blob, Citation, Hosted, Reasoning, SearchHit, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, unfold
from proxx.protocols.openai_responses.write_reply import ReplyWriter, write_whole
from tests.protocols.openai_responses.bodies import request
from tests.protocols.openai_responses.streams import occasion, parsed

openai = pytest.importorskip("openai")

PARTS: Any = (
    Reasoning("thought", blob=Blob("signature", "S", "anthropic", "claude")),
    Text("Hello", (Citation("https://a", "A"),)),
    Hosted("web_search", "", "q", (SearchHit("https://a"),), dialect="anthropic"),
    ToolCall("c1", "f", '{"a":1}'),
    ToolCall("c2", "p", "*** Begin", kind="custom"),
    ToolCall("c3", "shell", '{"commands":["ls"]}', kind="shell"),
    ToolCall("c4", "apply_patch", '{"type":"delete_file","path":"a"}', kind="apply_patch"),
    ToolCall("c5", "local_shell", '{"command":["ls"]}', kind="local_shell"),
)
ASKED = request(reasoning={"summary": "auto"}, tools=[{"type": "function", "name": "f"}, {"type": "shell"}])


def events() -> list[Event]:
    from proxx.protocols.hub.events import Finished

    return unfold(Reply((Choice(PARTS, Finished("tool_calls")),)))


def test_every_event_is_one_that_the_library_knows() -> None:
    from openai.types.responses import ResponseStreamEvent

    writer = ReplyWriter(occasion(ASKED))
    adapter: Any = TypeAdapter(ResponseStreamEvent)
    for event in parsed(writer.write(events())):
        read = adapter.validate_python(event)
        assert read.type == event["type"]


def test_the_whole_resource_is_one_that_the_library_knows() -> None:
    from openai.types.responses import Response

    from proxx.protocols.hub.reply import fold

    read = Response.model_validate(json.loads(write_whole(fold(events()), occasion(ASKED))))
    assert read.output_text == "Hello"
    assert [item.type for item in read.output] == [
        "reasoning", "message", "web_search_call", "function_call", "custom_tool_call", "shell_call",
        "apply_patch_call", "local_shell_call",
    ]  # fmt: skip


def test_the_librarys_stream_helper_collects_the_answer() -> None:
    from openai.lib.streaming.responses._responses import ResponseStreamState

    state: Any = ResponseStreamState(text_format=openai.NOT_GIVEN, input_tools=openai.NOT_GIVEN)
    from openai.types.responses import ResponseStreamEvent

    adapter: Any = TypeAdapter(ResponseStreamEvent)
    writer = ReplyWriter(occasion(ASKED))
    for event in events():
        for one in parsed(writer.write([event])):
            state.handle_event(adapter.validate_python(one))
    assert state._completed_response.output_text == "Hello"
