"""An upstream's stream -> its objects, whichever of the two forms it has: events, or one array sent piece by piece.

Events are what is asked for; some imitators send the array all the same. Comments and blank lines are left out here:
no Gemini client can read a comment.
"""

from proxx.protocols.framing.json_array import ArrayCutter
from proxx.protocols.framing.sse import FrameCutter, data_of, frames

DONE = b"[DONE]"  # which imitators send, and no Gemini client can read

_LEAD = b" \t\r\n\xef\xbb\xbf"
_END = b"\r\n\r\n"


class Cutter:
    """Give back the objects that are complete, as (frame, data); the frame of an array's element is empty."""

    __slots__ = ("_array", "_begun", "_frames")

    def __init__(self) -> None:
        self._begun = False
        self._frames = FrameCutter()
        self._array: ArrayCutter | None = None

    def feed(self, piece: bytes) -> list[tuple[bytes, bytes]]:
        """Take one piece; raise `NoArray` for an array of something else, `FrameTooLarge` for an endless object."""
        if not self._begun:
            piece = piece.lstrip(_LEAD)
            self._begun = bool(piece)
            if piece.startswith(b"["):
                self._array = ArrayCutter()
        if self._array is not None:
            return [(b"", element) for element in self._array.feed(piece)]
        if (
            piece[-4:] == _END
            and piece.find(b"\n") == len(piece) - 3
            and piece[:6] == b"data: "
            and not self._frames.held
        ):
            return [(piece, piece[6:-4])]  # the usual case: one event of Google's a read
        block = self._frames.feed(piece)
        return [(frame, data) for frame in frames(block) if (data := data_of(frame).strip())]

    def close(self) -> list[tuple[bytes, bytes]]:
        """Return a last event that lacks its blank line, if there is one."""
        data = data_of(self._frames.rest).strip()
        return [(b"", data)] if data else []
