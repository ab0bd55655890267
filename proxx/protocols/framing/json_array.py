"""One JSON array sent piece by piece: what Gemini streams are unless events were asked for.

`ArrayCutter` finds the elements in pieces cut anywhere, `ArrayWriter` makes an array of elements as they come. Neither
looks into an element: its bytes stay as they are.
"""

import re

from proxx.protocols.framing.sse import FRAME_LIMIT, FrameTooLarge

SEPARATOR = b",\r\n"

_BLANK = b" \t\r\n"
_SIGNS = re.compile(rb'[\[\]{}"]')
_STRING_SIGNS = re.compile(rb'["\\]')


class NoArray(ValueError):
    """Bytes that are not an array of objects."""


class ArrayCutter:
    """Give back whole elements; keep the unfinished rest. What follows the array's end is left alone."""

    __slots__ = ("_begun", "_depth", "_in_string", "_looked_at", "_rest", "ended")

    def __init__(self) -> None:
        self.ended = False
        self._begun = False
        self._rest = b""
        self._looked_at = 0  # bytes of the rest whose nesting is known
        self._depth = 0
        self._in_string = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take one piece and return the elements that are complete; raise `NoArray` or `FrameTooLarge`."""
        self._rest += piece
        found: list[bytes] = []
        while not self.ended:
            if not self._depth and not self._at_element():
                break
            end = self._element_end()
            if not end:
                break
            found.append(self._rest[:end])
            self._rest, self._looked_at = self._rest[end:], 0
        if self.ended:
            self._rest = b""
        if len(self._rest) > FRAME_LIMIT:
            raise FrameTooLarge(f"an element of more than {FRAME_LIMIT} bytes")
        return found

    def _at_element(self) -> bool:
        """Skip what stands between elements; tell whether one begins."""
        self._rest = self._rest.lstrip(_BLANK + (b"," if self._begun else b"[\xef\xbb\xbf"))
        self._begun = self._begun or bool(self._rest)
        if not self._rest:
            return False
        if self._rest.startswith(b"]"):
            self.ended = True
            return False
        if not self._rest.startswith(b"{"):
            raise NoArray("no array of objects")
        return True

    def _element_end(self) -> int:
        """Return where the element that begins the rest ends; 0 if that is not known yet."""
        at = self._looked_at
        while True:
            found = (_STRING_SIGNS if self._in_string else _SIGNS).search(self._rest, at)
            if found is None:
                self._looked_at = max(at, len(self._rest))
                return 0
            sign, at = found[0], found.end()
            if sign == b"\\":
                if at >= len(self._rest):  # what it escapes comes with the next piece
                    self._looked_at = at - 1
                    return 0
                at += 1
            elif sign == b'"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if sign in b"[{" else -1
                if not self._depth:
                    return at


class ArrayWriter:
    """Makes one array of elements that come one after another. The array begins with its first element."""

    __slots__ = ("_begun", "_ended")

    def __init__(self) -> None:
        self._begun = self._ended = False

    def element(self, data: bytes) -> bytes:
        """Return one element with what stands before it."""
        before = SEPARATOR if self._begun else b"["
        self._begun = True
        return before + data

    def end(self) -> bytes:
        """Return the array's end, once; of an array without elements both brackets."""
        if self._ended:
            return b""
        self._ended = True
        return b"]" if self._begun else b"[]"
