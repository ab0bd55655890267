"""Request -> the body that goes to a Messages upstream: the same bytes for the same request, so that caches hit."""

import msgspec

from proxx.protocols.anthropic.write_request.blocks import BlockWriter, Json, control_of
from proxx.protocols.anthropic.write_request.cache import limit_marks
from proxx.protocols.anthropic.write_request.settings import (
    limit_of,
    refuse_state,
    tier_of,
    user_of,
    write_sampling,
)
from proxx.protocols.anthropic.write_request.tools import answers_by_tool, enter_names, write_tools
from proxx.protocols.anthropic.write_request.turns import (
    Conversation,
    open_loop_lacks_thinking,
    without_prefill,
    without_thinking,
    write_conversation,
)
from proxx.protocols.hub.cuts import StopAt
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.output import JSON_ONLY
from proxx.protocols.hub.reasoning import FIELD, ClaudeThinking, claude_thinking
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.schemas import closed
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Mend, Written

VERSION = b"2023-06-01"
NEWEST_VERSION = b"2026-10-21"  # takes no sampling
VENDOR = "anthropic"
INTERLEAVED_QUIRK = "interleaved_thinking_beta"
INTERLEAVED = b"interleaved-thinking-2025-05-14"
FILES = b"files-api-2025-04-14"

_SAMPLING = ("temperature", "top_p", "top_k")


def write_request(request: Request, target: Target, losses: Losses) -> Written:
    """Write a request; raise `Inexpressible` for what this dialect or model cannot be told."""
    refuse_state(request, losses)
    names = NameTable()
    enter_names(request, names)
    writer = BlockWriter(target, names, losses)
    said = write_conversation(request, writer, target, losses)
    thinking = _thinking(request, target, said, losses)
    tools = write_tools(request, target, names, losses, thinking=thinking)
    _ask_for_json(request, said, losses)
    mends: list[Mend] = [*tools.mends, *names.mends()]
    mends += without_prefill(said.messages, request, losses, allowed=request.resumes or _continues(target, thinking))
    blank = [one for one in request.sampling.stop if not one.strip()]
    if blank:
        mends.append(StopAt(blank))
    body = _body(request, target, said, thinking, losses)
    if tools.tools:
        body["tools"] = tools.tools
    if tools.choice is not None:
        body["tool_choice"] = tools.choice
    limit_marks(body, losses)
    return Written(msgspec.json.encode(body), tuple(mends), _headers(body, target, writer, thinking))


def _thinking(request: Request, target: Target, said: Conversation, losses: Losses) -> ClaudeThinking:
    """Return how to think, and take earlier thinking out where the model could not go on from it."""
    limit = limit_of(request, target, losses)
    thinking = claude_thinking(request, target, limit, losses)
    if not thinking.manual:
        return thinking
    if answers_by_tool(request, target):
        losses.drop(FIELD, "the form of the answer needs a forced call and that forbids thinking")
    elif open_loop_lacks_thinking(said.messages):
        losses.drop(FIELD, "earlier calls came without thinking so this turn goes without")
        without_thinking(said.messages)
    else:
        return thinking
    return ClaudeThinking(None, "", limit)


def _continues(target: Target, thinking: ClaudeThinking) -> bool:
    return target.facts.prefill is not False and not thinking.on


def _ask_for_json(request: Request, said: Conversation, losses: Losses) -> None:
    if request.output.format == "json":
        losses.drop("response_format", "JSON is asked for in words")
        said.system.append({"type": "text", "text": JSON_ONLY})


def _body(request: Request, target: Target, said: Conversation, thinking: ClaudeThinking, losses: Losses) -> Json:
    body: Json = {"model": target.model, "max_tokens": thinking.max_tokens}
    if said.system:
        body["system"] = said.system
    body["messages"] = said.messages
    if thinking.thinking is not None:
        body["thinking"] = thinking.thinking
    output: Json = {"effort": thinking.effort} if thinking.effort else {}
    if request.output.format == "schema" and not answers_by_tool(request, target):
        schema = closed(request.output.schema or {}, field="response_format")
        output["format"] = {"type": "json_schema", "schema": schema}
    if output:
        body["output_config"] = output
    body |= write_sampling(request, target, losses, thinking=thinking)
    user, tier = user_of(request), tier_of(request, target, losses)
    if user:
        body["metadata"] = {"user_id": user}
    if tier:
        body["service_tier"] = tier
    if request.cache.mark is not None:
        body["cache_control"] = control_of(request.cache.mark)
    if request.stream:
        body["stream"] = True
    return body


def _headers(
    body: Json, target: Target, writer: BlockWriter, thinking: ClaudeThinking
) -> tuple[tuple[bytes, bytes], ...]:
    newest = target.provider == VENDOR and not any(name in body for name in _SAMPLING)
    headers = [(b"anthropic-version", NEWEST_VERSION if newest else VERSION)]
    betas = []
    if thinking.manual and (target.provider == VENDOR or INTERLEAVED_QUIRK in target.quirks):
        betas.append(INTERLEAVED)
    if writer.files:
        betas.append(FILES)
    if betas:
        headers.append((b"anthropic-beta", b",".join(betas)))
    return tuple(headers)
