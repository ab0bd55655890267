"""The dialect's own words, used by its readers and writers alike."""

import json
from fnmatch import fnmatchcase
from functools import lru_cache

import orjson

NAME = "openai_chat"
OPENAI = (NAME, "openai_responses")  # one vendor: files and models are the same in both


@lru_cache(maxsize=4096)
def habits(quirks: frozenset[str], model: str) -> frozenset[str]:
    """Return the quirks that hold for a model: those said of all, and `name=glob` where the model matches."""
    split = (quirk.partition("=") for quirk in quirks)
    return frozenset(name for name, said, glob in split if not said or fnmatchcase(model.lower(), glob.lower()))


def dumped(value: object) -> bytes:
    """Return a value as JSON, whatever its texts and however large its numbers; raise `RecursionError` for one that is
    nested too deeply."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
