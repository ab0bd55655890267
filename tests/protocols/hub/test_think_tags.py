"""Thinking between tags becomes thinking (D46)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Ended, Finished, PartClosed, PartOpened, Started, TextDelta
from proxx.protocols.hub.parts import Hosted, Reasoning, SearchHit, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.hub.searches import as_text
from proxx.protocols.hub.think_tags import SplitThinking


def split(text, pieces=(), **options):
    mend = SplitThinking(**options)
    out = mend([Started(), PartOpened(0, "text")])
    at = 0
    for length in [*pieces, len(text)]:
        if text[at : at + length]:
            out += mend([TextDelta(0, text[at : at + length])])
        at += length
    out += mend([PartClosed(0), PartOpened(1, "call", id="c", name="f"), PartClosed(1)])
    out += mend([Finished("tool_calls"), Ended()])
    assert [event.part for event in out if isinstance(event, PartOpened)] == list(
        range(len(fold(out).choices[0].parts))
    )
    return fold(out).choices[0].parts[:-1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<think>\nhm</think>\n\nYes", (Reasoning("hm"), Text("Yes"))),
        (" <think>a<b</think>Yes", (Reasoning("a<b"), Text("Yes"))),
        ("<think>hm", (Reasoning("hm"),)),
        ("<think>hm</thi", (Reasoning("hm</thi"),)),
        ("<think>hm</think>\n", (Reasoning("hm"),)),
        ("I write <think> here", (Text("I write <think> here"),)),
        ("<thi", (Text("<thi"),)),
        ("<thin> air", (Text("<thin> air"),)),
    ],
)
@given(pieces=st.lists(st.integers(1, 4), max_size=20))
def test_thinking_is_split_off_at_any_border(text, parts, pieces):
    """D46."""
    assert split(text, pieces) == parts


def test_an_opening_tag_in_the_template_is_not_waited_for():
    """D46: deepseek-like templates begin inside the thinking."""
    assert split("hm</think>Yes", opened=True) == (Reasoning("hm"), Text("Yes"))


def test_only_the_first_text_is_looked_at():
    """D46."""
    reply = Reply((Choice((Text("a"), ToolCall("c", "f", "{}"), Text("<think>b")), Finished("stop")),))
    assert fold(SplitThinking()(unfold(reply))) == reply


def test_a_foreign_search_is_told_as_text():
    """D170."""
    part = Hosted("web_search", query="proxx", hits=(SearchHit("https://a", "A"), SearchHit("https://b")))
    assert as_text(part) == "[web_search: proxx]\n- A: https://a\n- https://b"
    assert as_text(Hosted("code")) == ""
