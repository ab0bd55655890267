"""Rules and steps as `POST /sim/script` takes them."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from tests.upstreams.script import (
    FOREVER,
    CallTool,
    Cite,
    Cut,
    Fail,
    Refuse,
    ReportUsage,
    Rule,
    Say,
    Script,
    Stall,
    Step,
    Think,
    Together,
    finish,
    search,
)


def from_json(data: Mapping[str, Any]) -> Rule:
    """Read a rule as `POST /sim/script` takes it; raise ValueError with one sentence if it cannot be read.

    `{"steps": [{"say": "hi"}, {"call_tool": "f", "arguments": {}}, {"stall": 2}], "model": "", "key": "",
    "text": "", "times": 1, "fault": "", "retry_after": null, "pace": 0}`; `times` and `stall` may be "forever".
    """
    unknown = set(data) - {"steps", "model", "key", "text", "times", "fault", "retry_after", "pace"}
    if unknown:
        raise ValueError(f"Unknown members: {', '.join(sorted(unknown))}.")
    steps = tuple(_step(item) for item in data.get("steps", ()))
    script = Script(steps, str(data.get("fault", "")), data.get("retry_after"), float(data.get("pace", 0)))
    return Rule(
        script,
        model=str(data.get("model", "")),
        key=str(data.get("key", "")),
        text=str(data.get("text", "")),
        times=_duration(data.get("times", 1)),
    )


def _duration(value: Any) -> float:
    return FOREVER if value == "forever" else float(value)


def _together(value: Iterable[Mapping[str, Any]], rest: Mapping[str, Any]) -> Together:
    calls = tuple(_step(item) for item in value)
    if not all(isinstance(call, CallTool) for call in calls):
        raise ValueError("Only calls are made together.")
    return Together(cast(tuple[CallTool, ...], calls), **rest)


_STEP_NAMES: dict[str, Any] = {
    "say": lambda value, rest: Say(str(value), **rest),
    "think": lambda value, rest: Think(str(value), **rest),
    "refuse": lambda value, rest: Refuse(str(value), **rest),
    "call_tool": lambda value, rest: CallTool(str(value), **{"arguments": {}, **rest}),
    "together": _together,
    "cite": lambda value, rest: Cite(str(value), **rest),
    "search": lambda value, rest: search(str(value), **rest),
    "report_usage": lambda value, rest: ReportUsage(**value, **rest),
    "fail": lambda value, rest: Fail(str(value), **rest),
    "stall": lambda value, rest: Stall(_duration(value), **rest),
    "cut": lambda value, rest: Cut(bool(value == "in_frame"), **rest),
    "finish": lambda value, rest: finish(str(value), **rest),
}


def _step(item: Mapping[str, Any]) -> Step:
    names: Iterable[str] = [name for name in item if name in _STEP_NAMES]
    for name in names:
        rest = {key: value for key, value in item.items() if key != name}
        try:
            step: Step = _STEP_NAMES[name](item[name], rest)
        except TypeError as error:
            raise ValueError(f"The step {name!r} cannot be read: {error}.") from None
        return step
    raise ValueError(f"A step is one of {', '.join(_STEP_NAMES)}.")
