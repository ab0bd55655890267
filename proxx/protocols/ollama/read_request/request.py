"""The request as a whole: which form it has, what both forms say alike, and what one of them cannot say elsewhere."""

from typing import Any

import msgspec

from proxx.protocols.framing.heads import read_head
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.events import Finished
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Turn
from proxx.protocols.hub.reasoning import effort_named
from proxx.protocols.hub.reply import Choice, Reply
from proxx.protocols.hub.request import Envelope, OutputWish, ReasoningWish, Request, ToolSpec
from proxx.protocols.ollama.read_request.body import Body, Tool, read_body, unknown
from proxx.protocols.ollama.read_request.options import UNKNOWN, read_options
from proxx.protocols.ollama.read_request.turns import of_messages, of_prompt

NAME = "ollama"
LOCAL = "done_reason"  # in `extras`: the request only loads or unloads a model, and this is the whole answer
_OWN = ("truncate", "shift")  # how a prompt that is too long is cut: elsewhere it is never cut


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None, form: str = "chat") -> Envelope:
    """Read the head of a body; `form` is chat or generate. Streams are the default (D115), counts are always told."""
    head = read_head(body, dialect=NAME, stream_default=True, model=model, stream=stream)
    return msgspec.structs.replace(head, wants_usage=True, form=form)


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Read a whole request; raise `Unreadable` naming the field at fault."""
    form = envelope.form or "chat"
    body = read_body(envelope.body)
    extras = unknown(envelope.body, form)
    for name in extras:
        losses.drop(name, UNKNOWN)
    local = _local(body, form)
    if local:
        extras[LOCAL] = local
    extras |= {name: value for name in _OWN if (value := getattr(body, name)) is not None}
    instructions, turns = _said(body, form, losses, local=local)
    sampling, limit, runtime = read_options(body.options, losses)
    return Request(
        dialect=NAME,
        model=envelope.model,
        turns=turns,
        instructions=instructions,
        tools=tuple(_tool(tool) for tool in body.tools or ()) if form == "chat" else (),
        max_output=limit,
        sampling=msgspec.structs.replace(sampling, logprobs=body.logprobs, top_logprobs=body.top_logprobs),
        reasoning=_thinking(body, losses),
        output=_output(body.format),
        runtime=runtime,
        keep_alive=body.keep_alive,
        stream=envelope.stream,
        wants_usage=True,
        extras=extras,
    )


def local_reply(request: Request) -> Reply | None:
    """Return the whole answer to a request that only loads or unloads a model; None for one that asks something.

    There is nothing to load where a model is not run by ourselves; its answer is the one that says so.
    """
    reason = request.extras.get(LOCAL)
    if reason is None:
        return None
    return Reply((Choice((), Finished("stop", raw=str(reason))),), model=request.model)


def _local(body: Body, form: str) -> str:
    if body.messages if form == "chat" else body.prompt or body.images:
        return ""
    return "unload" if _is_zero(body.keep_alive) else "load"


def _is_zero(keep_alive: Any) -> bool:
    if isinstance(keep_alive, str):
        return bool(keep_alive) and not keep_alive.strip("0.hmsuµn")
    return keep_alive is not None and float(keep_alive) == 0


def _said(body: Body, form: str, losses: Losses, *, local: str) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    if form == "chat":
        return of_messages(body.messages or ())
    if body.template:
        losses.drop("template", UNKNOWN)
    if body.raw:
        losses.refuse("raw", "only the model's own server takes a prompt that is already in its template")
    if body.suffix:
        losses.refuse("suffix", "other dialects cannot fill a gap between two texts")
    if body.context:
        losses.refuse("context", "only the model's own server can read it and the conversation would be lost")
    instructions, turns = of_prompt(body)
    return instructions, () if local else turns


def _tool(tool: Tool) -> ToolSpec:
    if tool.type != "function":
        raise Unreadable("'tools[].type' must be function.", param="tools[].type")
    function = tool.function
    return ToolSpec("function", function.name, NAME, description=function.description or "", schema=function.parameters)


def _thinking(body: Body, losses: Losses) -> ReasoningWish:
    think = body.think
    if think is None or think == "":
        return ReasoningWish()
    if isinstance(think, str):
        effort = effort_named(think, losses, field="think")
        return ReasoningWish(effort, show="" if effort == "off" else "full")
    return ReasoningWish("dynamic", show="full") if think else ReasoningWish("off")


def _output(wish: str | dict[str, Any] | None) -> OutputWish:
    if isinstance(wish, dict):
        return OutputWish("schema", wish) if wish else OutputWish()
    if not wish:
        return OutputWish()
    if wish != "json":
        raise Unreadable("'format' must be 'json' or a JSON schema.", param="format")
    return OutputWish("json")
