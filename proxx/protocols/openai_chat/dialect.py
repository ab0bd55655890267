"""The dialect's own words, used by its readers and writers alike."""

import json

import orjson

NAME = "openai_chat"
OPENAI = (NAME, "openai_responses")  # one vendor: files and models are the same in both


def dumped(value: object) -> bytes:
    """Return a value as JSON, whatever its texts and however large its numbers."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
