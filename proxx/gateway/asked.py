"""What planning may ask of a call, answered from its bytes, its headers and its profile, when it is asked."""

from proxx.gateway import asking
from proxx.gateway.call import Call
from proxx.gateway.errors import BadRequest
from proxx.protocols.hub.conversation import name_of
from proxx.protocols.profile.options import DIALECTS
from routing import affinity
from routing.question import EFFORTS, Question

# Without any of these words in its body, no request of any dialect says how much to think.
_THINKING = (b"reasoning", b"think", b"effort")
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

    def effort(self) -> str:
        """Return what the request says, else what its profile says for it; a forced wish goes before both."""
        wishes = self._call.wishes
        wished = wishes.effort if wishes is not None else ""
        if wishes is not None and wishes.forced and wished:
            return _known(wished)
        return _known(self._said()) or _known(wished)

    def _said(self) -> str:
        call = self._call
        if call.dialect.name not in DIALECTS or not any(word in call.envelope.body for word in _THINKING):
            return ""
        try:
            return asking.read(call).reasoning.effort
        except BadRequest:
            return ""  # whoever is asked says what is wrong with it


def _known(effort: str) -> str:
    effort = _SAME.get(effort, effort)
    return effort if effort in EFFORTS else ""
