"""JSON loses its white space and nothing else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing.compact import compacted


def test_order_numbers_and_escapes_stay():
    data = b'{ "z" : 1.0,\n "a": 1E5, "b":123456789012345678901234567890, "c":"\\u00e9 \\/ ", "d":[ ] }'
    assert compacted(data) == '{"z":1.0,"a":1E5,"b":123456789012345678901234567890,"c":"\\u00e9 \\/ ","d":[]}'


def test_half_a_character_is_left_alone():
    assert compacted(b'{"a": "\\ud83d"}') == '{"a": "\\ud83d"}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=3), one),
)


@given(VALUES, st.booleans())
def test_any_json_keeps_its_meaning(value, ascii):
    data = json.dumps(value, indent=1, ensure_ascii=ascii).encode()
    assert json.loads(compacted(data)) == value
    assert compacted(data) == json.dumps(value, ensure_ascii=ascii, separators=(",", ":"))
