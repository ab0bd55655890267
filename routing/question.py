"""What planning may ask of a request, found out only when it matters: most names lead to models that can do anything.

The answers come from who holds the request: proxx/gateway/asked.py for a call, routing/explaining.py for a person.
"""

from collections.abc import Set

# What a request may need of a model, and how a refusal says that a model lacks it.
NEEDS = {
    "images": "takes no images",
    "audio": "takes no audio",
    "tools": "calls no tools",
    "pdf": "takes no PDF files",
    "schema": "cannot keep to a JSON schema",
    "reasoning": "does not reason",
}
# Without these a request can still be answered, by a poorer way or by a provider that helps itself: a model that lacks
# them is left out only while others remain.
WISHED = ("pdf", "schema", "reasoning")
EFFORTS = ("minimal", "low", "medium", "high", "xhigh")


class Question:
    """A request that says nothing; who knows more overrides what they know."""

    __slots__ = ()

    @property
    def size(self) -> int:
        """Return the bytes of its body."""
        return 0

    def conversation(self) -> int:
        """Return the digest of the conversation that it is a turn of, 0 for none."""
        return 0

    def needs(self, among: Set[str]) -> frozenset[str]:
        """Return which of these words of NEEDS it needs."""
        return frozenset()

    def effort(self) -> str:
        """Return the reasoning effort it asks for, a word of EFFORTS; empty if it asks for none."""
        return ""

    def text_bytes(self) -> int:
        """Return how many of its bytes may be text, media left out."""
        return 0


class Said(Question):
    """A question whose answers are known beforehand."""

    __slots__ = ("_conversation", "_effort", "_needs", "_size")

    def __init__(
        self, *, conversation: int = 0, needs: Set[str] = frozenset(), effort: str = "", size: int = 0
    ) -> None:
        self._conversation, self._needs, self._effort, self._size = conversation, frozenset(needs), effort, size

    @property
    def size(self) -> int:
        """Return what was said."""
        return self._size

    def conversation(self) -> int:
        """Return what was said."""
        return self._conversation

    def needs(self, among: Set[str]) -> frozenset[str]:
        """Return what was said."""
        return self._needs & among

    def effort(self) -> str:
        """Return what was said."""
        return self._effort

    def text_bytes(self) -> int:
        """Return what was said."""
        return self._size


NOTHING_SAID = Question()
