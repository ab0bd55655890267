"""What Anthropic refuses in a Messages request outside its messages and tools, and with which 400.

The messages are anthropic_messages.py, the tools anthropic_tools.py. Texts are the service's where clients and
gateways look for them. Imitators elsewhere than `/v1` take unknown members and check no version.
"""

from collections.abc import Callable
from typing import Any

from tests.upstreams import anthropic_blocks, anthropic_messages, anthropic_tools
from tests.upstreams.answer import Refused
from tests.upstreams.anthropic_models import EFFORTS, Family, family
from tests.upstreams.anthropic_refusals import invalid
from tests.upstreams.connection import Arrival

VERSIONS = ("2023-06-01", "2026-10-21")
# fmt: off
FIELDS = frozenset({
    "model", "messages", "max_tokens", "system", "stop_sequences", "stream", "temperature", "top_p", "top_k",
    "thinking", "output_config", "tools", "tool_choice", "cache_control", "metadata", "service_tier",
    "inference_geo", "speed", "diagnostics", "user_profile_id", "workspace_id", "container",
})
WITH_BETA = frozenset({
    "mcp_servers", "context_management", "fallbacks", "fallback_credit_token", "compaction",
    "billing_policy", "output_format", "betas",
})
COUNTED = frozenset({
    "model", "messages", "system", "thinking", "output_config", "tools", "tool_choice", "cache_control",
})
# fmt: on
SAMPLING = ("temperature", "top_p", "top_k")
_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


def check(arrival: Arrival, body: dict[str, Any], *, strict: bool, counting: bool = False) -> None:
    """Raise Refused with the 400 that Anthropic would give, or return."""
    version = check_version(arrival) if strict else VERSIONS[0]
    if strict:
        allowed = COUNTED if counting else FIELDS
        _fields(body, allowed | (WITH_BETA if arrival.header("anthropic-beta") else frozenset()))
    _required(body, counting=counting)
    kind = family(body["model"])
    _scalars(body, kind)
    if version == VERSIONS[1]:
        _newer_version(body)
    _thinking(body, kind)
    _sampling(body, kind)
    _output(body, kind)
    anthropic_tools.check(body)
    anthropic_messages.check(body, kind, newer=version == VERSIONS[1], signed=strict)


def check_version(arrival: Arrival) -> str:
    """Return the version that the request asks for."""
    version = arrival.header("anthropic-version")
    if not version:
        raise Refused(invalid("anthropic-version: header is required"))
    if version not in VERSIONS:
        raise Refused(invalid(f'anthropic-version: "{version}" is not a valid version'))
    return version


def _fields(body: dict[str, Any], allowed: frozenset[str]) -> None:
    for name in body:
        if name not in allowed:
            raise Refused(invalid(f"{name}: Extra inputs are not permitted"))


def _required(body: dict[str, Any], *, counting: bool) -> None:
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        if name not in body:
            raise Refused(invalid(f"{name}: Field required"))
    if not isinstance(body["model"], str) or not body["model"]:
        raise Refused(invalid("model: Input should be a valid string"))


def _scalars(body: dict[str, Any], kind: Family) -> None:
    limit = body.get("max_tokens", 1)
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise Refused(invalid("max_tokens: Input should be a valid integer"))
    if limit < 0:
        raise Refused(invalid("max_tokens: Input should be greater than or equal to 0"))
    if limit > kind.most_tokens:
        text = f"max_tokens: {limit} > {kind.most_tokens}, which is the maximum allowed number of output tokens for "
        raise Refused(invalid(text + body["model"]))
    for name, (good, text) in _SCALARS.items():
        if name in body and not good(body[name]):
            raise Refused(invalid(f"{name}: {text}"))
    for index, stop in enumerate(body.get("stop_sequences") or ()):
        if not isinstance(stop, str):
            raise Refused(invalid(f"stop_sequences.{index}: Input should be a valid string"))
        if not stop.strip():
            raise Refused(invalid("stop_sequences: each stop sequence must contain non-whitespace"))


def _newer_version(body: dict[str, Any]) -> None:
    for name in SAMPLING:
        if name in body:
            raise Refused(invalid(f"{name}: `{name}` is not supported in version {VERSIONS[1]}"))


def _thinking(body: dict[str, Any], kind: Family) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    name = anthropic_blocks.tag(thinking)
    if name not in _THINKING:
        text = f"thinking: Input tag '{name}' found using 'type' does not match any of the expected tags: "
        raise Refused(invalid(text + ", ".join(f"'{tag}'" for tag in _THINKING)))
    for member in set(thinking) - _THINKING[name]:
        raise Refused(invalid(f"thinking.{name}.{member}: Extra inputs are not permitted"))
    if thinking.get("display", "summarized") not in ("summarized", "omitted"):
        raise Refused(invalid(f"thinking.{name}.display: Input should be 'summarized' or 'omitted'"))
    if name == "adaptive" and not kind.adaptive:
        raise Refused(invalid("adaptive thinking is not supported on this model"))
    if name == "enabled":
        _budget(body, thinking, kind)


def _budget(body: dict[str, Any], thinking: dict[str, Any], kind: Family) -> None:
    if not kind.manual:
        text = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
        raise Refused(invalid(text + '"output_config.effort" to control thinking behavior.'))
    budget = thinking.get("budget_tokens")
    if budget is None:
        raise Refused(invalid("thinking.enabled.budget_tokens: Field required"))
    if isinstance(budget, bool) or not isinstance(budget, int):
        raise Refused(invalid("thinking.enabled.budget_tokens: Input should be a valid integer"))
    if budget < 1024:
        raise Refused(invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"))
    if budget >= body.get("max_tokens", budget + 1):
        text = (
            f"`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at {_DOCS}"
        )
        raise Refused(invalid(text))
    if anthropic_blocks.tag(body.get("tool_choice")) in ("any", "tool"):
        raise Refused(invalid("Thinking may not be enabled when tool_choice forces tool use."))


def _sampling(body: dict[str, Any], kind: Family) -> None:
    thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    temperature, top_p, top_k = (body.get(name) for name in SAMPLING)
    for name, value, default in (("temperature", temperature, 1), ("top_p", top_p, 1), ("top_k", top_k, None)):
        if not kind.sampling and value is not None and value != default:
            raise Refused(invalid(f"`{name}` is deprecated for this model."))
    if temperature is not None and top_p is not None:
        text = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        raise Refused(invalid(text))
    if not thinks:
        return
    when = f"when thinking is enabled or in adaptive mode. Please consult our documentation at '{_DOCS}'"
    if temperature is not None and temperature != 1:
        raise Refused(invalid(f"`temperature` may only be set to 1 {when}"))
    if top_p is not None and top_p < 0.95:
        raise Refused(invalid(f"`top_p` must be greater than or equal to 0.95 or unset {when}"))
    if top_k is not None:
        raise Refused(invalid(f"`top_k` must be unset {when}"))


def _output(body: dict[str, Any], kind: Family) -> None:
    output = body.get("output_config")
    if output is None:
        return
    if not isinstance(output, dict):
        raise Refused(invalid("output_config: Input should be a valid dictionary"))
    for member in set(output) - {"effort", "format", "task_budget"}:
        raise Refused(invalid(f"output_config.{member}: Extra inputs are not permitted"))
    effort, shape = output.get("effort"), output.get("format")
    if effort is not None and effort not in EFFORTS:
        raise Refused(invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"))
    if effort is not None and not kind.efforts:
        raise Refused(invalid("This model does not support the effort parameter."))
    if effort is not None and effort not in kind.efforts:
        levels = ", ".join(sorted(kind.efforts))
        raise Refused(invalid(f"This model does not support effort level '{effort}'. Supported levels: {levels}."))
    if shape is not None:
        if not isinstance(shape, dict) or shape.get("type") != "json_schema":
            raise Refused(invalid("output_config.format.type: Input should be 'json_schema'"))
        for member in set(shape) - {"type", "schema"}:
            raise Refused(invalid(f"output_config.format.{member}: Extra inputs are not permitted"))
        anthropic_tools.check_strict(shape.get("schema"), "output_config.format.schema")


def _number(least: float, most: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


_THINKING: dict[str, set[str]] = {
    "adaptive": {"type", "display"},
    "between_tools": {"type", "display"},
    "disabled": {"type"},
    "enabled": {"type", "budget_tokens", "display"},
}
_SCALARS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": (_number(0, 1), "range: 0..1"),
    "top_p": (_number(0, 1), "range: 0..1"),
    "top_k": (lambda value: isinstance(value, int) and value >= 0, "Input should be greater than or equal to 0"),
    "stream": (lambda value: isinstance(value, bool), "Input should be a valid boolean"),
    "stop_sequences": (lambda value: isinstance(value, list), "Input should be a valid list"),
    "metadata": (
        lambda value: isinstance(value, dict) and not set(value) - {"user_id"},
        "Extra inputs are not permitted",
    ),
    "service_tier": (
        lambda value: value in ("auto", "standard_only"),
        "Input should be 'auto' or 'standard_only'",
    ),
}
