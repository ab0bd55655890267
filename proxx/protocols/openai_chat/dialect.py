"""The dialect's own words, used by its readers and writers alike."""

from fnmatch import fnmatchcase
from functools import lru_cache

NAME = "openai_chat"
OPENAI = (NAME, "openai_responses")  # one vendor: files and models are the same in both


@lru_cache(maxsize=4096)
def habits(quirks: frozenset[str], model: str) -> frozenset[str]:
    """Return the quirks that hold for a model: those said of all, and `name=glob` where the model matches."""
    split = (quirk.partition("=") for quirk in quirks)
    return frozenset(name for name, said, glob in split if not said or fnmatchcase(model.lower(), glob.lower()))
