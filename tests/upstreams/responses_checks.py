"""What OpenAI refuses at the top level of a Responses request, and with which 400. Items: responses_items.py.

Paths outside `/v1` stand for the imitators, which take unknown members; `strict` is off for them.
"""

import re
from typing import Any

from tests.upstreams.responses_errors import (
    missing,
    moved,
    only,
    outside,
    refused,
    text,
    unknown,
    unsupported,
    unsupported_value,
    wrong_type,
    wrong_value,
)
from tests.upstreams.responses_tools import check_schema

# fmt: off
FIELDS = frozenset({
    "background", "client_metadata", "context_management", "conversation", "include", "input", "instructions",
    "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls",
    "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
    "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
})
INCLUDES = (
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
    "reasoning.encrypted_content", "message.output_text.logprobs",
)
# fmt: on
MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}
BOOLEANS = ("background", "parallel_tool_calls", "store", "stream")
TEXTS = {
    "instructions": 0, "previous_response_id": 0, "prompt_cache_key": 64, "safety_identifier": 64, "user": 0,
}  # fmt: skip
NUMBERS: dict[str, tuple[float, float | None]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "top_logprobs": (0, 20),
    "max_output_tokens": (16, None),
    "max_tool_calls": (1, None),
}
WHOLE = {"top_logprobs", "max_output_tokens", "max_tool_calls"}
CHOICES = {
    "truncation": ("auto", "disabled"),
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
    "prompt_cache_retention": ("in_memory", "in-memory", "24h"),
}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LATER = ("none", "low", "medium", "high", "xhigh")
# The efforts of each family of reasoning models; the first pattern that fits counts.
FAMILIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"gpt-5[\d.]*-chat.*"), ()),
    (re.compile(r"(gpt-[34]|chatgpt-).*"), ()),
    (re.compile(r"gpt-5-pro.*"), ("high",)),
    (re.compile(r"gpt-5-codex.*"), ("low", "medium", "high")),
    (re.compile(r"gpt-5(-.*)?"), ("minimal", "low", "medium", "high")),
    (re.compile(r"gpt-5\.1-codex-max.*"), LATER),
    (re.compile(r"gpt-5\.1.*"), ("none", "low", "medium", "high")),
    (re.compile(r"gpt-5\.[2-5].*"), LATER),
    (re.compile(r"gpt-5\..*"), (*LATER, "max")),
    (re.compile(r"o\d.*"), ("low", "medium", "high")),
)
REASONING = re.compile(r"o\d.*|gpt-5(?![\d.]*-chat).*")


def check(body: dict[str, Any], *, strict: bool) -> None:
    """Raise Refused with the 400 that OpenAI would give for anything but input and tools, or return."""
    if body.get("model") is None:
        raise missing("model")
    text(body["model"], "model")
    if strict:
        check_fields(body)
    _scalars(body)
    _reasoning(body)
    _text(body)
    _lists(body)
    _state(body)


def check_fields(body: dict[str, Any], allowed: frozenset[str] = FIELDS) -> None:
    """Raise Refused for a member that the endpoint does not have."""
    for name in body:
        if name not in allowed:
            raise moved(name, MOVED[name]) if name in MOVED else unknown(name)


def _scalars(body: dict[str, Any]) -> None:
    for name in BOOLEANS:
        if body.get(name) is not None and not isinstance(body[name], bool):
            raise wrong_type(name, "a boolean", body[name])
    for name, most in TEXTS.items():
        value = body.get(name)
        if value is not None and value != "":
            text(value, name, most=most)
    for name in NUMBERS:
        if body.get(name) is not None:
            _number(name, body[name])
    for name, allowed in CHOICES.items():
        if body.get(name) is not None and body[name] not in allowed:
            raise wrong_value(name, body[name], allowed)


def _number(name: str, value: Any) -> None:
    least, most = NUMBERS[name]
    whole = name in WHOLE
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and not isinstance(value, int)):
        raise wrong_type(name, "an integer" if whole else "a decimal", value)
    if value < least:
        raise outside(name, value, least=least)
    if most is not None and value > most:
        raise outside(name, value, most=most)


def _reasoning(body: dict[str, Any]) -> None:
    model = str(body["model"]).rpartition("/")[2]
    wanted = body.get("reasoning") or {}
    if not isinstance(wanted, dict):
        raise wrong_type("reasoning", "an object", wanted)
    only(wanted, ("effort", "summary", "generate_summary", "context", "mode"), "reasoning.")
    effort = wanted.get("effort")
    if effort is not None and effort not in EFFORTS:
        raise wrong_value("reasoning.effort", effort, EFFORTS)
    if wanted.get("summary") not in (None, "auto", "concise", "detailed"):
        raise wrong_value("reasoning.summary", wanted["summary"], ("concise", "detailed", "auto"))
    allowed = next((efforts for family, efforts in FAMILIES if family.fullmatch(model)), EFFORTS)
    for name in ("effort", "summary"):
        if wanted.get(name) is not None and not allowed:
            raise unsupported(f"reasoning.{name}")
    if effort is not None and effort not in allowed:
        raise unsupported_value("reasoning.effort", effort, model, allowed)
    if REASONING.fullmatch(model) and effort != "none":
        for name in ("temperature", "top_p", "top_logprobs"):
            if body.get(name) is not None:
                raise unsupported(name)


def _text(body: dict[str, Any]) -> None:
    wanted = body.get("text") or {}
    if not isinstance(wanted, dict):
        raise wrong_type("text", "an object", wanted)
    only(wanted, ("format", "verbosity"), "text.")
    if wanted.get("verbosity") not in (None, "low", "medium", "high"):
        raise wrong_value("text.verbosity", wanted["verbosity"], ("low", "medium", "high"))
    shape = wanted.get("format")
    if shape is None:
        return
    if not isinstance(shape, dict):
        raise wrong_type("text.format", "an object", shape)
    kind = shape.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise wrong_value("text.format.type", kind, ("json_object", "json_schema", "text"))
    if kind == "json_schema":
        _schema(shape)
    elif kind == "json_object" and "json" not in str(body.get("input")).lower():
        message = "Response input messages must contain the word 'json' in some form to use 'text.format'"
        raise refused(f"{message} of type 'json_object'.", "input")


def _schema(shape: dict[str, Any]) -> None:
    if "name" not in shape:
        raise missing("text.format.name")
    name = text(shape["name"], "text.format.name", most=64)
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
        raise refused("Invalid 'text.format.name': string does not match pattern.", "text.format.name", "invalid_value")
    if "schema" not in shape:
        raise missing("text.format.schema")
    only(shape, ("type", "name", "schema", "strict", "description"), "text.format.")
    check_schema(
        shape["schema"],
        what=f"response_format '{name}'",
        param="text.format.schema",
        code="invalid_json_schema",
        strict=bool(shape.get("strict")),
    )


def _lists(body: dict[str, Any]) -> None:
    if not isinstance(body.get("include") or [], list):
        raise wrong_type("include", "an array", body["include"])
    for index, name in enumerate(body.get("include") or ()):
        if name not in INCLUDES:
            raise wrong_value(f"include[{index}]", name, INCLUDES)
    options = body.get("stream_options")
    if options is not None:
        if not body.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise refused(message, "stream_options")
        if not isinstance(options, dict):
            raise wrong_type("stream_options", "an object", options)
        only(options, ("include_obfuscation", "reasoning_summary_delivery"), "stream_options.")
    labels = body.get("metadata")
    if labels is None:
        return
    if not isinstance(labels, dict):
        raise wrong_type("metadata", "an object", labels)
    for name, value in labels.items():
        text(value, f"metadata.{name}", most=512)
    if len(labels) > 16:
        raise refused("Invalid 'metadata': too many properties.", "metadata", "object_above_max_properties")


def _state(body: dict[str, Any]) -> None:
    held = [name for name in ("previous_response_id", "conversation") if body.get(name) is not None]
    if len(held) == 2:
        message = f"Mutually exclusive parameters: '{held[0]}' and '{held[1]}'. Ensure you are only providing one of:"
        raise refused(f"{message} '{held[0]}' or '{held[1]}'.", held[0], "mutually_exclusive_parameters")
    if body.get("background") and body.get("store") is False:
        raise refused("Background mode requires 'store' to be true.", "background")
