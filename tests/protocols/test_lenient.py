"""Half a character costs itself, and nothing beside it."""

import json

import msgspec
import pytest

from proxx.protocols.framing.lenient import FAULTS, decode

READER = msgspec.json.Decoder(str)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (r'"\ud83d"', "�"),
        (r'"\ude00 a"', "� a"),
        (r'"\ud83d\ude00 \ud83d"', "😀 �"),
        (r'"\uD83D\uDE00\ude00"', "😀�"),
        (r'"\ud83d\ud83d\ude00"', "�😀"),
        (r'"\\ud83d \ud83d"', r"\ud83d �"),
        (r'"\\\ud83d"', "\\�"),
        (r'"\"\ud83dé"', '"�é'),
    ],
)
def test_only_the_half_is_replaced(raw, read):
    assert decode(READER, raw.encode()) == read


def test_what_is_no_json_stays_none():
    with pytest.raises(FAULTS):
        decode(READER, rb'"\ud83d')
    assert decode(READER, json.dumps("ordinary 😀").encode()) == "ordinary 😀"
