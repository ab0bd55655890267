"""The head of a body: what the path says, what the body says, and what neither may leave open."""

import pytest

from proxx.protocols.framing.heads import read_head
from proxx.protocols.hub.errors import Unreadable


def test_the_body_says_model_and_stream():
    head = read_head(b'{"model":"m","stream":true,"stream_options":{"a":1}}', dialect="d")
    assert (head.dialect, head.model, head.stream, head.wants_usage, head.options) == ("d", "m", True, False, b"")


@pytest.mark.parametrize("body", [b'{"model":"m"}', b'{"model":"m","stream":null}'])
@pytest.mark.parametrize("default", [True, False])
def test_an_unsaid_stream_is_the_dialects_default(body, default):
    assert read_head(body, dialect="d", stream_default=default).stream is default


def test_the_path_wins_and_the_bodys_own_members_are_not_looked_at():
    head = read_head(b'{"model":7,"model":8,"stream":"no"}', dialect="d", model="models/x", stream=True)
    assert (head.model, head.stream) == ("models/x", True)


def test_stream_options_are_read_by_the_dialect_that_has_them():
    body = b'{"model":"m","stream_options":{"a":"\\ud83d"}}'
    head = read_head(body, dialect="d", wants_usage=lambda options: options == b'{"a":"\\ud83d"}')
    assert (head.wants_usage, head.options) == (True, b'{"a":"\\ud83d"}')


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff"])
@pytest.mark.parametrize("path", [{}, {"model": "m", "stream": False}])
def test_what_is_no_object_is_refused(body, path):
    with pytest.raises(Unreadable):
        read_head(body, dialect="d", **path)


@pytest.mark.parametrize("model", [" ", "a\nb", "a" * 257])
def test_a_model_that_is_no_name_is_refused_wherever_it_stands(model):
    with pytest.raises(Unreadable) as refusal:
        read_head(b"{}", dialect="d", model=model, stream=True)
    assert refusal.value.param == "model"
