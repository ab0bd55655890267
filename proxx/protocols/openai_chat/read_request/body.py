"""A client's whole chat completion body -> Request."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import CacheWish, Envelope, Request, State
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_request import options, tools
from proxx.protocols.openai_chat.read_request.fields import Fields
from proxx.protocols.openai_chat.read_request.messages import read_messages
from proxx.protocols.openai_chat.read_request.parts import cache_mark
from proxx.protocols.openai_chat.read_request.responses_shape import as_messages

_body = msgspec.json.Decoder(dict[str, Any])


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Read a chat completion body; raise `Unreadable` naming the field at fault."""
    try:
        return _read(Fields(decode(_body, envelope.body)), envelope, losses)
    except RecursionError:
        raise Unreadable("The body is nested too deeply.") from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None


def _read(body: Fields, envelope: Envelope, losses: Losses) -> Request:
    if "messages" not in body and "input" in body:
        body = Fields({**body.raw, "messages": as_messages(body)})
    if "messages" not in body:
        body.missing("messages")
    messages = body.objects("messages")
    if not messages:
        raise Unreadable("'messages' must not be empty.", code="empty_array", param="messages")
    instructions, turns = read_messages(messages)
    declared = tools.read_tools(body)
    return Request(
        dialect=NAME,
        model=envelope.model,
        turns=turns,
        instructions=instructions,
        tools=declared,
        tool_choice=tools.read_choice(body) if declared else None,
        parallel=body.flag("parallel_tool_calls"),
        max_output=options.read_limit(body),
        max_tool_calls=body.whole("max_tool_calls"),
        sampling=options.read_sampling(body),
        reasoning=options.read_reasoning(body, losses),
        output=options.read_output(body),
        cache=CacheWish(body.text("prompt_cache_key"), cache_mark(body)),
        state=State(store=body.flag("store")),
        user_id=body.text("user"),
        safety_identifier=body.text("safety_identifier"),
        service_tier=options.read_tier(body),
        metadata=body.plain("metadata"),
        runtime=options.read_runtime(body),
        keep_alive=body.raw.get("keep_alive"),
        stream=envelope.stream,
        wants_usage=envelope.wants_usage,
        old_functions="functions" in body and "tools" not in body,
        extras=_extras(body, losses),
    )


def _extras(body: Fields, losses: Losses) -> dict[str, Any]:
    extras = {name: value for name, value in body.raw.items() if name not in _READ and value is not None}
    for name in extras:
        if name not in _WITHOUT_EFFECT:
            losses.drop(name, "unknown to other dialects")
    return extras


# fmt: off
_READ = frozenset({
    "model", "messages", "stream", "stream_options",
    "max_completion_tokens", "max_tokens", "max_output_tokens", "max_tool_calls",
    "temperature", "top_p", "top_k", "min_p", "typical_p", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "repeat_penalty", "seed", "n", "stop", "logit_bias", "logprobs", "top_logprobs",
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "web_search_options",
    "reasoning_effort", "reasoningEffort", "reasoning", "include_reasoning", "thinking", "thinking_budget",
    "enable_thinking", "chat_template_kwargs", "think",
    "response_format", "text", "verbosity", "modalities",
    "prompt_cache_key", "cache_control", "store", "user", "safety_identifier", "service_tier", "metadata",
    "options", "num_ctx", "ollama_num_ctx", "open_hax", "provider_options", "keep_alive",
    "input", "instructions", "include",
})
# fmt: on
# They change no word of the answer: other dialects need not hear of them.
_WITHOUT_EFFECT = frozenset({"prediction", "prompt_cache_options", "prompt_cache_retention", "moderation"})
