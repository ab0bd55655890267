"""Model names that say what to answer, so that any client can drive a simulated provider that runs by itself.

    sim-echo            repeats the last user message
    sim-say             a few sentences
    sim-tools           calls the first declared tool, then comments on its result; sim-tools-3: three calls at once
    sim-think           shows reasoning first, then answers
    sim-slow            as sim-say, 50 ms between two frames
    sim-pace-200x20     200 frames, 20 ms apart
    sim-long-1000       1000 frames, as fast as they are read
    sim-flood           64 MiB of frames, as fast as they are read; sim-flood-200: 200 MiB
    sim-usage-10-5-4-2  says a word and reports 10 input, 5 output, 4 cached, 2 reasoning tokens
    sim-length          ends for length; sim-filter: for its content
    sim-late-1.5        headers come after 1.5 s
    sim-plain           as sim-say; through Ollama it can neither think nor call tools
    sim-embed           any name for media: sim-image, sim-speech, sim-transcribe, sim-moderate
    sim-fault-NAME      the fault of that name; sim-fault-429-after-7 announces 7 s of rest

Other listed models (gpt-x, claude-opus-4-8, gemini-3-pro, ...) answer as sim-say, or with an example where JSON is
wanted, and call a tool when they must or when the last user message contains the tool's name. A key
`sk-sim-fault-NAME` fails like that whatever the model (what follows a dot is only there to tell keys apart); every
other key of the form `sk-sim-...` is good.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.upstreams import faults
from tests.upstreams.dialect import Ask, Tool
from tests.upstreams.script import Say, Script, Step, call_tool, finish, report_usage, say, stall, think

PROSE = (
    "This is a simulated provider. It answers what its script says, word by word, and counts what it says. "
    "Nobody is billed for it."
)
MIB_FRAME = 8192

LISTED = (
    "gpt-x",
    "gpt-x-mini",
    "glm-x",
    "claude-x",
    "claude-haiku-4-5",
    "claude-sonnet-4-6",
    "claude-opus-4-8",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-3-pro",
    "gemini-3-flash",
    "sim-echo",
    "sim-say",
    "sim-tools",
    "sim-think",
    "sim-slow",
    "sim-length",
    "sim-filter",
)

_AFTER = re.compile(r"(?P<fault>.+?)-after-(?P<seconds>\d+(\.\d+)?)")
_KEY = re.compile(r"sk-sim-fault-(?P<name>[^.]+)(\..*)?")


def script_of(ask: Ask) -> Script | None:
    """Return what a model of that name answers, or None if no such model is known by its name."""
    for pattern, make in _CONVENTIONS:
        found = pattern.fullmatch(ask.model)
        if found:
            return make(ask, found)
    return None


def script_of_listed(ask: Ask) -> Script:
    """Return what an ordinary model answers."""
    if ask.tools and ask.tool_result is None:
        wanted = ask.must_call or any(tool.name in ask.text for tool in ask.tools)
        if wanted:
            return _tools(ask, 1)
    if ask.tool_result is not None:
        return Script((say(f"The tool answered: {ask.tool_result}"),))
    if ask.schema is not None:
        return Script((say(json.dumps(example(ask.schema or {"type": "object"}))),))
    return Script((say(PROSE),))


def fault_of_key(key: str) -> tuple[str, float | None]:
    """Return the fault that a key's own name asks for, and its rest in seconds; an empty name for a good key."""
    found = _KEY.fullmatch(key)
    return _fault_and_rest(found["name"]) if found else ("", None)


def example(schema: dict[str, Any], name: str = "") -> Any:
    """Return a value that a JSON schema takes; well-known property names get a plausible one."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for joined in ("anyOf", "oneOf", "allOf"):
        if schema.get(joined):
            return example(schema[joined][0], name)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            wanted = schema.get("required", list(schema.get("properties", {})))
            return {key: example(schema.get("properties", {}).get(key, {}), key) for key in wanted}
        case "array":
            return [example(schema.get("items", {}), name)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    return _PLAUSIBLE.get(name, "example")


def _tools(ask: Ask, count: int) -> Script:
    if ask.tool_result is not None:
        return Script((say(f"The tool answered: {ask.tool_result}"),))
    if not ask.tools:
        return Script((say("No tool was declared, so none is called."),))
    named = [tool for tool in ask.tools if tool.name == ask.must_call]
    chosen = named or list(ask.tools)
    calls = (chosen[index % len(chosen)] for index in range(count))
    return Script(tuple(call_tool(tool.name, _arguments(tool)) for tool in calls))


def _arguments(tool: Tool) -> Any:
    """Return what a model would say to a tool: an object, whatever the schema, or a text if it has none."""
    made = example(tool.schema)
    return made if isinstance(made, dict) or not tool.schema else {}


def _fault_and_rest(name: str) -> tuple[str, float | None]:
    found = _AFTER.fullmatch(name)
    return (found["fault"], float(found["seconds"])) if found else (name, None)


def _faulty(_: Ask, found: re.Match[str]) -> Script | None:
    fault, rest = _fault_and_rest(found["fault"])
    if not faults.known(fault):
        return None
    return Script((say(PROSE),), fault=fault, retry_after=rest)


def _flood(_: Ask, found: re.Match[str]) -> Script:
    frames = int(found["size"] or 64) * 1024 * 1024 // MIB_FRAME
    return Script(_Repeated(Say("x" * MIB_FRAME, pieces=1), frames))


def _usage(_: Ask, found: re.Match[str]) -> Script:
    counts = [int(number) for number in found["counts"].split("-")]
    names = dict(zip(("input", "output", "cached", "reasoning"), counts, strict=False))
    return Script((say("Counted."), report_usage(**names)))


class _Repeated:
    """The same step many times, made as it is asked for."""

    def __init__(self, step: Step, times: int) -> None:
        self._step, self._times = step, times

    def __iter__(self) -> Iterator[Step]:
        return (self._step for _ in range(self._times))


_PLAUSIBLE = {
    "city": "Oslo",
    "location": "Oslo",
    "command": "echo hello",
    "query": "weather in Oslo",
    "unit": "celsius",
}

_CONVENTIONS: tuple[tuple[re.Pattern[str], Callable[[Ask, re.Match[str]], Script | None]], ...] = (
    (re.compile(r"sim-echo"), lambda ask, _: Script((say(ask.text or "(nothing was said)"),))),
    (re.compile(r"sim-(say|plain|embed|image|speech|transcribe|moderate)"), lambda ask, _: Script((say(PROSE),))),
    (re.compile(r"sim-tools(-(?P<count>\d{1,2}))?"), lambda ask, found: _tools(ask, int(found["count"] or 1))),
    (
        re.compile(r"sim-think"),
        lambda ask, _: Script((think("First I look at the question. Then I look for words."), say(PROSE))),
    ),
    (re.compile(r"sim-slow"), lambda ask, _: Script((say(PROSE),), pace=0.05)),
    (
        re.compile(r"sim-pace-(?P<frames>\d{1,6})x(?P<ms>\d{1,6})"),
        lambda ask, found: Script(
            (say("tick " * int(found["frames"]), pieces=int(found["frames"])),), pace=int(found["ms"]) / 1000
        ),
    ),
    (
        re.compile(r"sim-long-(?P<frames>\d{1,6})"),
        lambda ask, found: Script((say("word " * int(found["frames"]), pieces=int(found["frames"])),)),
    ),
    (re.compile(r"sim-flood(-(?P<size>\d{1,4}))?"), _flood),
    (re.compile(r"sim-usage-(?P<counts>\d+-\d+(-\d+){0,2})"), _usage),
    (re.compile(r"sim-length"), lambda ask, _: Script((say(PROSE), finish("length")))),
    (re.compile(r"sim-filter"), lambda ask, _: Script((say("I will not"), finish("filter")))),
    (
        re.compile(r"sim-late-(?P<seconds>\d{1,4}(\.\d+)?)"),
        lambda ask, found: Script((stall(float(found["seconds"])), say(PROSE))),
    ),
    (re.compile(r"sim-fault-(?P<fault>.+)"), _faulty),
)
