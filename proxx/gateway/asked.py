"""What planning may ask of a call, answered from its bytes, its headers and its profile, when it is asked."""

from collections.abc import Mapping, Set

from proxx.gateway import asking
from proxx.gateway.call import Call
from proxx.gateway.errors import BadRequest
from proxx.protocols.hub.conversation import name_of
from proxx.protocols.hub.request import Request
from proxx.protocols.profile.options import DIALECTS
from routing import affinity, needs
from routing.question import EFFORTS, Question

# By dialect and need, the words without which no request says such a thing: reading one whole costs more than looking
# for a word, and most requests have none of them.
_MARKS: Mapping[str, Mapping[str, tuple[bytes, ...]]] = {
    "openai_chat": {
        "images": (b'"image_url"', b"image/"),
        "audio": (b'"input_audio"',),
        "pdf": (b'"file"',),
        "tools": (b'"tools"', b'"functions"'),
        "schema": (b'"json_schema"',),
        "reasoning": (b"reasoning", b'"think', b"_thinking"),
    },
    "openai_responses": {
        "images": (b'"input_image"', b"screenshot", b"image/"),
        "audio": (b'"input_audio"', b"audio/"),
        "pdf": (b'"input_file"',),
        "tools": (b'"tools"',),
        "schema": (b'"json_schema"',),
        "reasoning": (b'"reasoning"',),
    },
    "anthropic": {
        "images": (b'"image"',),
        "pdf": (b'"document"',),
        "tools": (b'"tools"',),
        "schema": (b'"json_schema"',),
        "reasoning": (b'"thinking"', b'"effort"'),
    },
    "gemini": {
        "images": (b"image/",),
        "audio": (b"audio/",),
        "pdf": (b"/pdf",),
        "tools": (b'"tools"',),
        "schema": (b"chema",),
        "reasoning": (b"hinking",),
    },
    "ollama": {
        "images": (b'"images"',),
        "tools": (b'"tools"',),
        "schema": (b'"format"',),
        "reasoning": (b'"think"',),
    },
}
_SAME = {"max": "xhigh"}


class CallQuestion(Question):
    """The question that a call is."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    @property
    def size(self) -> int:
        """Return the bytes of its body."""
        return len(self._call.envelope.body)

    def conversation(self) -> int:
        """Return the digest of the conversation, as far as the request names one."""
        call = self._call
        return affinity.digest(call.tenant.id, name_of(call.envelope.traits, call.dialect.name, call.session))

    def needs(self, among: Set[str]) -> frozenset[str]:
        """Return which of these the request needs; it is read only if its bytes hold a word that could mean one."""
        if not any(map(self._may_need, among)):
            return frozenset()
        request = self._read()
        return needs.needs_of(request) & among if request is not None else frozenset()

    def text_bytes(self) -> int:
        """Return the bytes of the body without media; 0 for a body that cannot be read."""
        request = self._read()
        return self.size - needs.media_bytes(request) if request is not None else 0

    def effort(self) -> str:
        """Return what the request says, else what its profile says for it; a forced wish goes before both."""
        wishes = self._call.wishes
        wished = wishes.effort if wishes is not None else ""
        if wishes is not None and wishes.forced and wished:
            return _known(wished)
        return _known(self._said()) or _known(wished)

    def _said(self) -> str:
        if not self._may_need("reasoning"):
            return ""
        request = self._read()
        return request.reasoning.effort if request is not None else ""

    def _may_need(self, need: str) -> bool:
        marks = _MARKS.get(self._call.dialect.name, {}).get(need, ())
        return any(mark in self._call.envelope.body for mark in marks)

    def _read(self) -> Request | None:
        if self._call.dialect.name not in DIALECTS:
            return None
        try:
            return asking.read(self._call)
        except BadRequest:
            return None  # whoever is asked says what is wrong with it


def _known(effort: str) -> str:
    effort = _SAME.get(effort, effort)
    return effort if effort in EFFORTS else ""
