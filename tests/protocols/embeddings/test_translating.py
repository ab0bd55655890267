"""Embeddings without a network: texts written for each upstream, vectors read from odd answers and told anew."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols import registry
from proxx.protocols.embeddings.numbers import as_base64, as_list
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target

OPENAI, OLLAMA, GEMINI = (registry.get(name) for name in ("openai_embeddings", "ollama_embed", "gemini_embed"))


def asked(losses: Losses | None = None, **body: Any) -> Request:
    raw = json.dumps({"model": "m", **body}).encode()
    return OPENAI.read_request(OPENAI.read_envelope(raw), losses or Losses())


def target(dialect: str) -> Target:
    return Target("someone", "vendor/m", dialect)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_embeddings", {"model": "vendor/m", "input": ["a", "b"], "dimensions": 8}),
        ("ollama_embed", {"model": "vendor/m", "input": ["a", "b"], "dimensions": 8}),
        (
            "gemini_embed",
            {
                "requests": [
                    {"model": "models/vendor/m", "outputDimensionality": 8, "content": {"parts": [{"text": text}]}}
                    for text in ("a", "b")
                ]
            },
        ),
    ],
)
def test_each_upstream_is_asked_in_its_own_words(dialect: str, body: dict[str, Any]) -> None:
    request = asked(input=["a", "b"], dimensions=8, encoding_format="base64", user="u")
    assert json.loads(registry.get(dialect).write_request(request, target(dialect), Losses()).body) == body


@pytest.mark.parametrize("dialect", ["hf_embeddings", "tei_embeddings"])
def test_plain_servers_are_told_the_texts_alone(dialect: str) -> None:
    """F-229."""
    write = registry.get(dialect).write_request
    assert json.loads(write(asked(input="a"), target(dialect), Losses()).body) == {"inputs": ["a"]}
    with pytest.raises(Inexpressible):
        write(asked(input="a", dimensions=8), target(dialect), Losses())


@pytest.mark.parametrize(
    ("raw", "vectors"),
    [
        (b'{"data":[{"index":1,"embedding":[3]},{"index":0,"embedding":[1.0e-3]}]}', (b"[1.0e-3]", b"[3]")),
        (b'{"embeddings":[[1],[2]],"prompt_eval_count":4}', (b"[1]", b"[2]")),
        (b'{"embedding":[1,2]}', (b"[1,2]",)),
        (b'{"embedding":{"values":[1,2]}}', (b"[1,2]",)),
        (b'{"embeddings":[{"values":[1]},{"values":[2]}]}', (b"[1]", b"[2]")),
        (b"[[1],[2]]", (b"[1]", b"[2]")),
        (b"[[[1,2],[3,4]]]", (b"[2.0,3.0]",)),
        (b'{"data":[{"embedding":"AACAPwAAAEA="}]}', (b"[1.0,2.0]",)),
    ],
)
def test_vectors_are_found_in_every_shape_and_order(raw: bytes, vectors: tuple[bytes, ...]) -> None:
    """D178."""
    assert OPENAI.watch_whole(raw).spoke
    assert OPENAI.read_whole(raw, target("openai_embeddings"), "").vectors == vectors


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[7]x", b'{"data":[{"embedding":7}]}', b'{"embedding":null}', b'{"data":[{"embedding":"no!"}]}', b"<p>"],
)
def test_what_holds_no_vectors_is_no_answer(raw: bytes) -> None:
    seen = OPENAI.watch_whole(raw)
    assert (seen.spoke, bool(seen.malformed)) == (False, True)


@pytest.mark.parametrize("error", [{"message": "no"}, "no"])
def test_an_error_inside_is_seen(error: object) -> None:
    assert OPENAI.watch_whole(json.dumps({"error": error}).encode()).error == {"message": "no"}


def test_too_few_vectors_are_no_answer() -> None:
    request = asked(input=["a", "b"])
    reply = OPENAI.read_whole(b'{"embeddings":[[1]]}', target("ollama_embed"), "")
    assert OPENAI.write_whole(reply, Occasion("0" * 32, 1, "m", request=request)) == b""


def test_numbers_keep_the_spelling_of_who_made_them() -> None:
    reply = OPENAI.read_whole(b'{"embeddings":[[1.50, -0e0]],"prompt_eval_count":4}', target("ollama_embed"), "")
    told = OPENAI.write_whole(reply, Occasion("0" * 32, 1, "m", request=asked(input="a")))
    assert b'"embedding":[1.50, -0e0]' in told
    assert json.loads(told)["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_base64_and_lists_say_the_same(numbers: list[float]) -> None:
    """D178."""
    packed = as_base64(json.dumps(numbers).encode())
    assert json.loads(as_list(json.dumps(packed).encode())) == numbers
    assert len(packed) % 4 == 0
    assert struct.calcsize(f"<{len(numbers)}f") == 4 * len(numbers)


def test_a_batch_of_gemini_names_the_upstreams_model_everywhere() -> None:
    raw = b'{"requests":[{"model":"models/alias","content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"}],"x":1.50}'
    envelope = GEMINI.read_envelope(raw, model="alias")
    assert GEMINI.same_dialect(envelope, model="alias", ask_usage=True) == raw
    changed = GEMINI.same_dialect(envelope, model="real", ask_usage=True)
    assert changed == raw.replace(b"models/alias", b"models/real")


def test_what_other_vendors_lack_is_dropped_or_refused_by_name() -> None:
    losses = Losses()
    body = {"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "task_type": "CLUSTERING", "title": "t"}
    envelope = GEMINI.read_envelope(json.dumps(body).encode(), model="m", form="one")
    assert GEMINI.read_request(envelope, losses).texts.items == ("ab",)
    assert sorted(note.partition(";")[0] for note in losses.notes) == ["taskType", "title"]
    picture = {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}}
    with pytest.raises(Inexpressible):
        GEMINI.read_request(GEMINI.read_envelope(json.dumps(picture).encode(), model="m", form="one"), Losses())


@pytest.mark.parametrize(
    "body", [{}, {"input": 7}, {"input": [""], "truncate": "yes"}, {"input": "a", "dimensions": 0}]
)
def test_what_is_no_request_of_ollamas_is_refused(body: dict[str, Any]) -> None:
    envelope = OLLAMA.read_envelope(json.dumps({"model": "m", **body}).encode())
    with pytest.raises(Unreadable):
        OLLAMA.read_request(envelope, Losses())
