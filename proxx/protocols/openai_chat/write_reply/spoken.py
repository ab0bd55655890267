"""What a stream's writer remembers of the choices and parts that it has told."""

from proxx.protocols.hub.events import PartOpened
from proxx.protocols.hub.parts import Blob

BLANK_LINE = "\n\n"


class Choice:
    """One choice: how many calls it has, how long its text is so far, and whether it was refused."""

    __slots__ = ("calls", "index", "length", "phase", "refused", "said")

    def __init__(self, index: int) -> None:
        self.index = index
        self.calls = self.length = 0
        self.refused = self.said = False
        self.phase = ""

    def text_begins(self, phase: str) -> str:
        """Note a new text and return what must stand between it and the one before: a blank line if the two were said
        as separate messages, which have phases; else nothing, for some vendors cut one text into many parts."""
        gap = BLANK_LINE if self.said and (phase or self.phase) else ""
        self.said, self.phase = True, phase
        self.length += len(gap)
        return gap


class Spoken:
    """One part: what its deltas stand between, and what of it was told."""

    __slots__ = ("after", "before", "blob", "choice", "kind", "place", "summary", "texts", "told", "tool_kind")

    def __init__(self, opened: PartOpened, choice: Choice) -> None:
        self.choice, self.kind, self.tool_kind = choice, opened.kind, opened.tool_kind
        self.before = self.after = b""
        self.texts: list[str] = []
        self.summary: list[str] = []
        self.blob: Blob | None = None
        self.place = 0
        self.told = True
