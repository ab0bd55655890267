"""What no Responses upstream should send: it is read for what it is worth, or told to be nonsense."""

import pytest

from proxx.protocols.hub.events import Broken, SummaryDelta
from tests.protocols.openai_responses.streams import about, created, read, sse


@pytest.mark.parametrize("odd", [-1, 7, 2**62])
def test_pieces_of_a_summary_are_numbered_in_their_order_whatever_their_index(odd: int) -> None:
    told = [
        about("reasoning_summary_text.delta", item_id="rs_1", summary_index=index, delta=text)
        for index, text in ((odd, "a"), (3, "b"), (odd, "c"))
    ]
    added = about("output_item.added", item={"type": "reasoning", "id": "rs_1", "summary": []})
    deltas = [event for event in read(sse(created(), added, *told)) if isinstance(event, SummaryDelta)]
    assert [(delta.index, delta.text) for delta in deltas] == [(0, "a"), (1, "b"), (0, "c")]


def test_an_item_with_a_name_that_is_no_text_is_nonsense() -> None:
    done = about("output_item.done", item={"type": "web_search_call", "id": "ws_1", "name": 1})
    events = read(sse(created(), done).replace(b'"name"', b'"n\xfeme"'))
    assert isinstance(events[-1], Broken)


@pytest.mark.parametrize("kind", ["function_call", "custom_tool_call"])
@pytest.mark.parametrize("name", [{}, {"name": ""}])
def test_a_call_of_nothing_is_nonsense(kind: str, name: dict[str, str]) -> None:
    item = {"type": kind, "id": "fc_1", "call_id": "call_1", "arguments": "{}", "input": "x", **name}
    assert isinstance(read(sse(created(), about("output_item.done", item=item)))[-1], Broken)
