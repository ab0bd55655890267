"""JSON lines as bytes: where lines end, at any split point. LF ends a line, a CR before it belongs to the end.

U+2028 and its like are text, and so is a lone CR, which JSON takes for a blank.
"""

from proxx.protocols.framing.sse import FRAME_LIMIT, FrameTooLarge


class LineCutter:
    """Give back whole lines from pieces cut anywhere; keep the unfinished rest."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def rest(self) -> bytes:
        """The bytes of a line that has not ended yet."""
        return b"".join(self._pieces)

    def feed(self, piece: bytes) -> bytes:
        """Take one piece and return all bytes up to the last line end, possibly none; raise `FrameTooLarge`."""
        end = piece.rfind(b"\n") + 1
        if end == 0:
            self._keep(piece)
            return b""
        whole = piece if end == len(piece) else piece[:end]
        if self._pieces:
            whole = b"".join((*self._pieces, whole))
            self._pieces, self._size = [], 0
        if end < len(piece):
            self._keep(piece[end:])
        return whole

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > FRAME_LIMIT:
            raise FrameTooLarge(f"a line of more than {FRAME_LIMIT} bytes")
        if piece:
            self._pieces.append(piece)


def lines(block: bytes) -> list[bytes]:
    """Split bytes into lines, each with its own end; blank ones are left out."""
    if block.find(b"\n") == len(block) - 1:  # the usual case: one line a read
        return [block] if block.strip() else []
    found = block.split(b"\n")
    last = found.pop()
    whole = [line + b"\n" for line in found if line and not line.isspace()]
    if last.strip():
        whole.append(last)
    return whole
