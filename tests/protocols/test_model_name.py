"""Another model name in the client's own bytes, and nothing else."""

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing.heads import read_head
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.model_name import renamed

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=["L", "N", "P", "S"]), min_size=1)
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["model", "gpt", '{"model": "gpt"}']) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "x"]), inner, max_size=2),
    max_leaves=6,
)


@given(NAMES, st.dictionaries(st.sampled_from(["messages", "tools", "user"]), VALUES), st.booleans(), st.booleans())
def test_the_quick_way_and_the_long_way_agree(name, others, name_first, ascii_only):
    document = {"model": name, **others} if name_first else {**others, "model": name}
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    request = read_head(body, dialect="openai_chat")
    assert renamed(request, "new") == replaced(body, b"model", orjson.dumps("new"))
    assert json.loads(renamed(request, "new")) == {**document, "model": "new"}


def test_a_body_whose_path_names_the_model_keeps_its_own_words():
    body = b'{"metadata":{"model":"gpt"},"messages":[]}'
    assert renamed(read_head(body, dialect="openai_chat", model="gpt"), "new") == body


def test_the_name_that_it_has_already_leaves_the_body_as_it_is():
    body = b'{"model" : "gpt"}'
    assert renamed(read_head(body, dialect="openai_chat"), "gpt") is body
