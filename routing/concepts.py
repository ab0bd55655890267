"""Everything a request can say, one thing at a time: what the page of protocols asks every dialect to carry.

Each concept is a request that says it and the same request without it, so that what becomes of it can be seen.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from proxx.protocols.hub.parts import (
    Audio,
    CacheMark,
    File,
    Image,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from proxx.protocols.hub.request import (
    CacheWish,
    OutputWish,
    ReasoningWish,
    Request,
    Sampling,
    ToolChoice,
    ToolRef,
    ToolSpec,
)

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
_PDF = "JVBERi0xLjQKJSVFT0YK"
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_CLOSED = {**_SCHEMA, "additionalProperties": False}
_TOOL = ToolSpec("function", "weather", "", description="Tell the weather.", schema=_SCHEMA)
_OTHER = ToolSpec("function", "clock", "", schema=_SCHEMA)
_ASK = Turn("user", (Text("Hello"),))
_SAID = Turn("assistant", (Text("Hi"),))
_CALL = Turn("assistant", (ToolCall("call_1", "weather", '{"city":"Oslo"}'),))


class Concept(NamedTuple):
    """A request that says something, and one that does not."""

    said: Request
    unsaid: Request


def _request(**fields: Any) -> Request:
    return Request(**{"dialect": "", "model": "m", "turns": (_ASK,), **fields})


def _asked(**fields: Any) -> Concept:
    return Concept(_request(**fields), _request())


def _turns(*turns: Turn, without: tuple[Turn, ...] = (_ASK,), **fields: Any) -> Concept:
    return Concept(_request(turns=turns, **fields), _request(turns=without, **fields))


def _with_part(part: Any) -> Concept:
    text = Text("Look")
    return _turns(Turn("user", (text, part)), without=(Turn("user", (text,)),))


def _answered(result: ToolResult) -> Concept:
    empty = ToolResult("call_1", (), "weather")
    return _turns(_ASK, _CALL, Turn("user", (result,)), without=(_ASK, _CALL, Turn("user", (empty,))), tools=(_TOOL,))


def _tooled(choice: ToolChoice | None = None, **fields: Any) -> Concept:
    tools = (_TOOL, _OTHER)
    return Concept(_request(tools=tools, tool_choice=choice, **fields), _request(tools=tools))


def _declared(tool: ToolSpec, *, instead: tuple[ToolSpec, ...] = ()) -> Concept:
    return Concept(_request(tools=(_TOOL, tool)), _request(tools=(_TOOL, *instead)))


CONCEPTS: Mapping[str, Concept] = {
    "text": _turns(_ASK, without=(Turn("user", (Text("Other words"),)),)),
    "system message": _asked(instructions=(Turn("system", (Text("Be brief."),)),)),
    "system message in the middle": _turns(
        _ASK, _SAID, Turn("system", (Text("Now French."),)), _ASK, without=(_ASK, _SAID, _ASK)
    ),
    "answer begun by the client (prefill)": _turns(
        _ASK, Turn("assistant", (Text("The answer is"),)), dialect="anthropic"
    ),
    "image as data": _with_part(Image(data=_PNG, media_type="image/png")),
    "image by URL": _with_part(Image(url="https://pictures.example/dot.png")),
    "PDF": _with_part(File(data=_PDF, media_type="application/pdf", filename="a.pdf")),
    "plain text document": _with_part(File(text="Plain words.", title="A title")),
    "audio": _with_part(Audio(_WAV, "audio/wav")),
    "tool call and result": _answered(ToolResult("call_1", (Text("Sunny"),), "weather")),
    "image in a tool result": _answered(ToolResult("call_1", (Image(data=_PNG, media_type="image/png"),), "weather")),
    "failed tool result": _answered(ToolResult("call_1", (Text("No network"),), "weather", is_error=True)),
    "another vendor's thinking in the history": _turns(
        _ASK, Turn("assistant", (Reasoning("Hm."), Text("Hi"))), _ASK, without=(_ASK, _SAID, _ASK)
    ),
    "refusal in the history": _turns(_ASK, Turn("assistant", (Refusal("No."),)), _ASK, without=(_ASK, _SAID, _ASK)),
    "function tools": _asked(tools=(_TOOL, _OTHER)),
    "strict tool schema": _declared(
        ToolSpec("function", "clock", "", schema=_CLOSED, strict=True),
        instead=(ToolSpec("function", "clock", "", schema=_CLOSED),),
    ),
    "free-form (custom) tool": _declared(ToolSpec("custom", "patch", "openai_responses")),
    "tool in a namespace": _declared(
        ToolSpec("function", "read", "openai_responses", namespace="files", schema=_SCHEMA)
    ),
    "hosted web search beside functions": _declared(ToolSpec("web_search", "web_search", "openai_responses")),
    "tool choice: none": _tooled(ToolChoice("none")),
    "tool choice: any": _tooled(ToolChoice("required")),
    "tool choice: one by name": _tooled(ToolChoice("named", (ToolRef("clock"),))),
    "tool choice: some of them": _tooled(ToolChoice("subset", (ToolRef("clock"),))),
    "one call at a time": _tooled(parallel=False),
    "output limit": _asked(max_output=1000),
    "temperature": _asked(sampling=Sampling(temperature=0.5)),
    "top_p": _asked(sampling=Sampling(top_p=0.9)),
    "top_k": _asked(sampling=Sampling(top_k=40)),
    "min_p": _asked(sampling=Sampling(min_p=0.1)),
    "frequency and presence penalty": _asked(sampling=Sampling(frequency_penalty=0.5, presence_penalty=0.5)),
    "seed": _asked(sampling=Sampling(seed=7)),
    "stop sequences": _asked(sampling=Sampling(stop=("END",))),
    "several answers (n)": _asked(sampling=Sampling(n=2)),
    "token probabilities": _asked(sampling=Sampling(logprobs=True, top_logprobs=2)),
    "logit_bias": _asked(sampling=Sampling(logit_bias={"50256": -100})),
    "reasoning effort": _asked(reasoning=ReasoningWish(effort="high")),
    "reasoning budget": _asked(reasoning=ReasoningWish(effort="medium", budget=8000)),
    "reasoning off": _asked(reasoning=ReasoningWish(effort="off")),
    "JSON answer": _asked(output=OutputWish("json")),
    "answer by schema": _asked(output=OutputWish("schema", _CLOSED, "answer")),
    "verbosity": _asked(output=OutputWish(verbosity="low")),
    "cache marks": _turns(Turn("user", (Text("Hello", cache=CacheMark("1h")),))),
    "prompt_cache_key": _asked(cache=CacheWish(key="conversation-1")),
    "service tier": _asked(service_tier="priority"),
    "metadata": Concept(
        _request(dialect="openai_responses", metadata={"team": "a"}), _request(dialect="openai_responses")
    ),
    "user": _asked(user_id="user-1"),
    "safety settings": Concept(
        _request(
            dialect="gemini",
            safety_settings=({"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"},),
        ),
        _request(dialect="gemini"),
    ),
    "num_ctx and other runtime options": _asked(runtime={"num_ctx": 8192}),
    "keep_alive": _asked(keep_alive="5m"),
}
