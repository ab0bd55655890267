"""Server-sent events as bytes: where frames end, and what one frame's data is. Any split point, all three line ends.

The WHATWG grammar: a blank line ends a frame; lines end with LF, CR LF or CR; `data` lines of a frame are joined by LF.
"""

import re

FRAME_LIMIT = 16 * 1024 * 1024  # an event larger than this is a broken upstream, not an answer

_SMALL = 4096  # what is put together anew with each piece; above it that would cost more than all the rest
_FRAME_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")


class FrameTooLarge(ValueError):
    """An upstream event above `FRAME_LIMIT`."""


class FrameCutter:
    """Give back whole frames from pieces cut anywhere; `held` are the bytes of a frame that has not ended yet."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: bytes | bytearray = b""

    @property
    def rest(self) -> bytes:
        """A copy of what is held."""
        return bytes(self.held)

    def feed(self, piece: bytes) -> bytes:
        """Take one piece and return all bytes up to the last frame end, possibly none; raise `FrameTooLarge`."""
        if len(self.held) >= _SMALL:
            return self._grow(piece)
        whole = b"".join((self.held, piece)) if self.held else piece
        end = _last_frame_end(whole)
        if end == len(whole):  # the usual case: whole events
            self.held = b""
            return whole
        self.held = whole[end:]
        _check(self.held)
        return whole[:end]

    def _grow(self, piece: bytes) -> bytes:
        """Do the same for a large frame, without looking again at what is held: no frame ends in there."""
        held = self.held if isinstance(self.held, bytearray) else bytearray(self.held)
        self.held = held
        tail = bytes(held[-2:])  # a line end, at most, began before
        end = max(_last_frame_end(tail + piece) - len(tail), 0)
        if not end:
            held += piece
            _check(held)
            return b""
        self.held = piece[end:]
        _check(self.held)
        return b"".join((held, piece[:end]))


def _check(held: bytes | bytearray) -> None:
    if len(held) > FRAME_LIMIT:
        raise FrameTooLarge(f"an event of more than {FRAME_LIMIT} bytes")


def frames(block: bytes) -> list[bytes]:
    """Split bytes that end at a frame end into frames, each with its own end."""
    if b"\r" not in block:
        *ended, rest = block.split(b"\n\n")
        return [one + b"\n\n" for one in ended] + ([rest] if rest else [])
    found, start = [], 0
    for match in _FRAME_END.finditer(block):
        found.append(block[start : match.end()])
        start = match.end()
    if start < len(block):
        found.append(block[start:])
    return found


def data_of(frame: bytes) -> bytes:
    """Return the joined data lines of one frame; empty for a comment or a bare id."""
    if frame.startswith(b"data: ") and frame.find(b"\n") == len(frame) - 2 and b"\r" not in frame:
        return frame[6:-2]
    if frame.startswith(b"event: ") and b"\r" not in frame:
        second = frame.find(b"\n") + 1
        if frame.startswith(b"data: ", second) and frame.find(b"\n", second) == len(frame) - 2:
            return frame[second + 6 : -2]
    lines = []
    for line in _LINE_END.split(frame.removeprefix(_BOM)):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line[5:6] == b" " else line[5:])
    return b"\n".join(lines)


def event_of(frame: bytes) -> bytes:
    """Return the event's name; empty for the usual, unnamed one."""
    if not frame.startswith(b"event:") and b"\nevent:" not in frame:
        return b""
    names = [line[6:].strip() for line in _LINE_END.split(frame) if line.startswith(b"event:")]
    return names[-1] if names else b""


def _last_frame_end(whole: bytes) -> int:
    if b"\r" not in whole:
        return whole.rfind(b"\n\n") + 2 if b"\n\n" in whole else 0
    end = 0
    for match in _FRAME_END.finditer(whole):
        end = match.end()
    return end
