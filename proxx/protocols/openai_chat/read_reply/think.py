"""Thinking that open models write into their text, between <think> tags (D46); on by the quirk `think_tags` only."""

from fnmatch import fnmatch

from proxx.protocols.hub.target import Target

QUIRK = "think_tags"
OPEN, CLOSE = "<think>", "</think>"


def splits_thinking(target: Target) -> bool:
    """Tell whether this model is known to write its thinking into the text."""
    names = (quirk.partition("=") for quirk in target.quirks)
    return any(name == QUIRK and (not equals or fnmatch(target.model, glob)) for name, equals, glob in names)


class ThinkSplitter:
    """Takes text as it comes and gives it back as text and reasoning; a tag may be cut anywhere."""

    __slots__ = ("_begun", "_fresh", "_held", "_thinks")

    def __init__(self) -> None:
        self._held = ""
        self._thinks = False
        self._begun = False  # something other than blanks was given back
        self._fresh = False  # a tag has just gone by: blanks after it belong to nobody

    def feed(self, text: str) -> list[tuple[str, str]]:
        """Return pieces of ("text" or "reasoning", what it says)."""
        found: list[tuple[str, str]] = []
        text = self._held + text
        self._held = ""
        while text:
            tag = CLOSE if self._thinks else OPEN
            before, hit, after = text.partition(tag)
            if not hit:
                self._held = _beginning(text, tag)
                before = text[: len(text) - len(self._held)]
            self._add(found, before, ends=bool(hit))
            if not hit:
                break
            self._thinks, self._fresh, text = not self._thinks, True, after
        return found

    def close(self) -> list[tuple[str, str]]:
        """Return what was held back; an unclosed tag makes all of it reasoning."""
        found: list[tuple[str, str]] = []
        held, self._held = self._held, ""
        self._add(found, held, ends=False)
        return found

    def _add(self, found: list[tuple[str, str]], text: str, *, ends: bool) -> None:
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        if not self._begun and not text.strip():
            if not ends:  # blanks before the first word may stand before a tag
                self._held = text + self._held
            return
        self._begun = True
        if text:
            found.append(("reasoning" if self._thinks else "text", text))


def _beginning(text: str, tag: str) -> str:
    """Return the end of a text that may be the beginning of the tag."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return text[-length:]
    return ""
