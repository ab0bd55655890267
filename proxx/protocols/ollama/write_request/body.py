"""Request -> the body of /api/chat, and what must be done to its answer."""

from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.framing.model_name import renamed
from proxx.protocols.hub import reasoning
from proxx.protocols.hub.cuts import FirstCallOnly
from proxx.protocols.hub.freeform import UnwrapFreeform
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.request import Envelope, Request
from proxx.protocols.hub.target import Target
from proxx.protocols.hub.think_tags import SplitThinking
from proxx.protocols.ollama.write_request.messages import written_messages
from proxx.protocols.ollama.write_request.options import written_options
from proxx.protocols.ollama.write_request.tools import written_tools
from proxx.protocols.spec import Mend, Written

LONGEST_TOOL_NAME = 128
MOST_LOGPROBS = 20

THINK_TAGS = "think_tags"  # quirk: the model prints its thinking between tags
THINK_TAGS_OPENED = "think_tags_opened"  # the same, and its template has written the opening one

_CHAT, _GENERATE = "/chat", "/generate"


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name; counts need not be asked for."""
    return renamed(request, model)


def url(url: str, *, stream: bool, form: str = "") -> str:
    """Return the candidate's URL, which is that of chat, for a request of this form that passes as it came."""
    return url.removesuffix(_CHAT) + _GENERATE if form == "generate" and url.endswith(_CHAT) else url


def write_request(request: Request, target: Target, losses: Losses) -> Written:
    """Write a request; raise `Inexpressible` for what Ollama cannot carry without being silently wrong."""
    _check(request, losses)
    table = NameTable(longest=LONGEST_TOOL_NAME)
    tools = written_tools(request, table, losses)
    body: dict[str, Any] = {
        "model": target.model,
        "messages": written_messages(request, target, table, losses, order=tools.order),
    }
    if tools.declared:
        body["tools"] = tools.declared
    form = _format(request)
    if form is not None:
        body["format"] = form
    options = written_options(request, target, losses)
    if options:
        body["options"] = options
    think = reasoning.ollama_think(request, target, losses)
    if think is not None:
        body["think"] = think
    body["stream"] = request.stream
    body |= _rest(request)
    return Written(encoded(body), _mends(request, target, table, tools.kinds))


def _mends(request: Request, target: Target, table: NameTable, kinds: dict[str, str]) -> tuple[Mend, ...]:
    mends: list[Mend] = []
    if target.quirks & {THINK_TAGS, THINK_TAGS_OPENED}:
        mends.append(SplitThinking(opened=THINK_TAGS_OPENED in target.quirks))
    if request.parallel is False:
        mends.append(FirstCallOnly())
    if kinds:
        mends.append(UnwrapFreeform(kinds))
    return (*mends, *table.mends())


def _rest(request: Request) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    if request.keep_alive is not None:
        rest["keep_alive"] = request.keep_alive
    own = request.extras if request.dialect == "ollama" else {}
    rest["truncate"] = own.get("truncate", False)  # else a long history would be cut without a word (D111)
    if "shift" in own:
        rest["shift"] = own["shift"]
    if request.sampling.logprobs is not None:
        rest["logprobs"] = request.sampling.logprobs
    if request.sampling.top_logprobs is not None:
        rest["top_logprobs"] = min(request.sampling.top_logprobs, MOST_LOGPROBS)
    return rest


def _format(request: Request) -> str | dict[str, Any] | None:
    if request.output.format == "schema":
        return request.output.schema or "json"
    return "json" if request.output.format == "json" else None


def _check(request: Request, losses: Losses) -> None:
    """Refuse what would be silently wrong, and note what is only dropped."""
    state, sampling = request.state, request.sampling
    if (sampling.n or 1) > 1:
        losses.refuse("n", "it gives one answer only")
    for name in ("previous_response_id", "conversation", "background", "prompt"):
        if getattr(state, name):
            losses.refuse(name, "it keeps no state")
    if state.truncation == "auto":
        losses.drop("truncation", "a history that is too long is refused")
    if any(kind != "text" for kind in request.output.modalities):
        losses.refuse("modalities", "it answers in text only")
    if sampling.logit_bias:
        losses.drop("logit_bias", "not known to Ollama")
    if request.output.verbosity:
        losses.drop("verbosity", "not known to Ollama")
    if request.max_tool_calls is not None:
        losses.drop("max_tool_calls", "not known to Ollama")
