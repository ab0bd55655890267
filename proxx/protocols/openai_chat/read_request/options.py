"""Everything beside messages and tools: limits, sampling, thinking, the answer's form, and what runs the model."""

from typing import Any

from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reasoning import effort_named, effort_of_budget
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Sampling
from proxx.protocols.openai_chat.read_request.fields import Fields

_FORMATS = "text, json_object and json_schema"
_SWITCHES = {"enabled": "dynamic", "adaptive": "dynamic", "auto": "dynamic", "disabled": "off"}
_RUNTIME_ONLY = ("typical_p",)


def read_limit(body: Fields) -> int | None:
    """Return the bound of the output in tokens; of several the smallest."""
    names = ("max_completion_tokens", "max_tokens", "max_output_tokens")
    given = [limit for name in names if (limit := body.whole(name, least=1)) is not None]
    return min(given, default=None)


def read_sampling(body: Fields) -> Sampling:
    """Return the sampling settings, those that only imitators know among them."""
    repeat = body.number("repetition_penalty")
    return Sampling(
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        top_k=body.whole("top_k"),
        min_p=body.number("min_p"),
        frequency_penalty=body.number("frequency_penalty"),
        presence_penalty=body.number("presence_penalty"),
        repeat_penalty=body.number("repeat_penalty") if repeat is None else repeat,
        seed=body.whole("seed"),
        n=body.whole("n", least=1),
        stop=body.texts("stop"),
        logit_bias=body.plain("logit_bias"),
        logprobs=body.flag("logprobs"),
        top_logprobs=body.whole("top_logprobs", least=0),
    )


def read_reasoning(body: Fields, losses: Losses) -> ReasoningWish:
    """Return how much to think. The first of these that says so counts: OpenAI's effort, a router's `reasoning`, a
    switch with or without a budget, a switch in the template's arguments."""
    wish = body.object("reasoning")
    show = "none" if body.flag("include_reasoning") is False else ""
    if wish is not None:
        show = show or ("none" if wish.flag("exclude") else "summary" if "summary" in wish else "")
    for place, name in ((body, "reasoning_effort"), (wish, "effort"), (body, "reasoningEffort")):
        if place is not None and place.text(name):
            return ReasoningWish(effort_named(place.text(name), losses, field=place.at(name)), show=show)
    thinking = body.object("thinking")
    for place, name in ((wish, "max_tokens"), (thinking, "budget_tokens"), (body, "thinking_budget")):
        budget = place.whole(name) if place is not None else None
        if budget is not None and not _is_off(thinking):
            return ReasoningWish(effort_of_budget(budget), budget=budget, show=show)
    return ReasoningWish(_switched(body, wish, thinking), show=show)


def _is_off(thinking: Fields | None) -> bool:
    return thinking is not None and thinking.text("type") == "disabled"


def _switched(body: Fields, wish: Fields | None, thinking: Fields | None) -> str:
    if thinking is not None:
        word = thinking.text("type")
        return _SWITCHES[word] if word in _SWITCHES else thinking.unknown("type", ", ".join(_SWITCHES))
    template = body.object("chat_template_kwargs")
    places = ((wish, "enabled"), (body, "enable_thinking"), (template, "enable_thinking"), (template, "thinking"))
    for place, name in places:
        flag = place.flag(name) if place is not None else None
        if flag is not None:
            return "dynamic" if flag else "off"
    think = body.raw.get("think")
    if isinstance(think, bool):
        return "dynamic" if think else "off"
    return body.text("think")


def read_output(body: Fields) -> OutputWish:
    """Return the wished form of the answer."""
    text = body.object("text")
    shape = body.object("response_format") or (text.object("format") if text is not None else None)
    verbosity = body.text("verbosity") or (text.text("verbosity") if text is not None else "")
    output = OutputWish(verbosity=verbosity, modalities=body.texts("modalities"))
    kind = shape.required("type") if shape is not None else ""
    if shape is None or not kind:
        return output
    if kind in ("text", "json_object"):
        return _with(output, format="text" if kind == "text" else "json")
    if kind != "json_schema":
        shape.unknown("type", _FORMATS)
    inner = shape.object("json_schema") or shape
    return _with(
        output,
        format="schema",
        schema=inner.plain("schema"),
        name=inner.text("name"),
        description=inner.text("description"),
        strict=inner.flag("strict"),
    )


def _with(output: OutputWish, **members: Any) -> OutputWish:
    return OutputWish(verbosity=output.verbosity, modalities=output.modalities, **members)


def read_runtime(body: Fields) -> dict[str, Any] | None:
    """Return Ollama's options, from each place where clients put them; raise `Unreadable` for a bad context size."""
    runtime: dict[str, Any] = dict(body.plain("options") or {})
    for name in _RUNTIME_ONLY:
        if name in body:
            runtime[name] = body.number(name)
    sizes = [_ollama(body, outer) for outer in ("open_hax", "provider_options")]
    places = [(place, "num_ctx") for place in sizes if place is not None]
    for place, name in (*places, (body, "num_ctx"), (body, "ollama_num_ctx")):
        if name in place:
            runtime["num_ctx"] = _context_size(place, name)
            break
    return runtime or None


def _ollama(body: Fields, outer: str) -> Fields | None:
    found = body.object(outer)
    return found.object("ollama") if found is not None else None


def _context_size(place: Fields, name: str) -> int:
    value = place.raw[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**53 or value != int(value):
        where = place.at(name)
        raise Unreadable(f"'{where}' must be a positive number.", code="invalid_provider_options", param=where)
    return int(value)


def read_tier(body: Fields) -> str:
    """Return the service tier, also from where proxx's own clients put it."""
    if body.text("service_tier"):
        return body.text("service_tier")
    own = body.object("open_hax")
    if own is None:
        return ""
    fast = own.flag("fast_mode") if "fast_mode" in own else own.flag("fastMode")
    return own.text("service_tier") or own.text("serviceTier") or ("priority" if fast else "")
