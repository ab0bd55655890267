"""Arguments of calls as objects, in the model's own spelling."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.arguments import NoObject, history_object, object_of
from proxx.protocols.hub.losses import Losses

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("args", ["", " ", "\n"])
def test_nothing_said_is_an_empty_object(args):
    """D5."""
    assert object_of(args) == "{}"


@pytest.mark.parametrize("args", ['{"b": 1.0, "a": 1e5}', '{"n":12345678901234567890123}', '{"s":"\\ud83d"}'])
def test_an_object_stays_as_the_model_wrote_it(args):
    """D10, D183."""
    assert object_of(args, "f") == args


@pytest.mark.parametrize(
    "args",
    [
        '"{\\"city\\": \\"Paris\\"}"',
        '{"name": "f", "arguments": {"city": "Paris"}}',
        '{"name":"f","parameters":{"city": "Paris"}}',
        '{"name":"f","arguments":"{\\"city\\": \\"Paris\\"}"}',
    ],
)
def test_wrapped_arguments_are_taken_out_once(args):
    """D11."""
    assert object_of(args, "f") == '{"city": "Paris"}'


@pytest.mark.parametrize("args", ['{"name":"g","arguments":{}}', '{"name":"f","arguments":{},"x":1}', '{"name":"f"}'])
def test_arguments_that_only_look_wrapped_are_left_alone(args):
    """D11."""
    assert object_of(args, "f") == args


@pytest.mark.parametrize("args", ['{"a":', "[1]", '"text"', "{'a':1}", "1"])
def test_an_answer_is_never_mended(args):
    """D12: half a call must not be run."""
    with pytest.raises(NoObject):
        object_of(args, "f")


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=3), st.integers(1, 400))
def test_a_history_that_was_cut_off_is_an_object_again(value, cut):
    """D12."""
    whole = json.dumps(value)
    losses = Losses()
    got = json.loads(history_object(whole[:cut], "f", losses))
    assert isinstance(got, dict)
    assert got == value or cut < len(whole)
    assert bool(losses.notes) == ("_invalid_arguments" in got)


@pytest.mark.parametrize(
    ("args", "mended"),
    [
        ('{"path":"/tmp/x","lines":["a","b', '{"path":"/tmp/x","lines":["a","b"]}'),
        ('{"a":{"b":1},', '{"a":{"b":1}}'),
        ('{"a":1,"b":', '{"a":1,"b":null}'),
        ('{"a":"x\\', '{"a":"x"}'),
        ('{"a":"x\\u00', '{"a":"x"}'),
    ],
)
def test_open_strings_and_brackets_are_closed(args, mended):
    """D12."""
    losses = Losses()
    assert history_object(args, "f", losses) == mended
    assert losses.notes == []


def test_what_cannot_be_mended_is_sent_as_text_and_noted():
    """D12."""
    losses = Losses()
    assert json.loads(history_object("rm -rf", "f", losses)) == {"_invalid_arguments": "rm -rf"}
    assert len(losses.notes) == 1
