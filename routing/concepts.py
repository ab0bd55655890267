"""Everything a request can say, one thing at a time: what the page of protocols asks every dialect to carry."""

from collections.abc import Mapping
from typing import Any

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
    State,
    ToolChoice,
    ToolRef,
    ToolSpec,
)

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_PDF = "JVBERi0xLjQKJSVFT0YK"
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_CLOSED = {**_SCHEMA, "additionalProperties": False}
_TOOL = ToolSpec("function", "weather", "", description="Tell the weather.", schema=_SCHEMA)
_OTHER = ToolSpec("function", "clock", "", schema=_SCHEMA)
_ASK = Turn("user", (Text("Hello"),))
_CALL = Turn("assistant", (ToolCall("call_1", "weather", '{"city":"Oslo"}'),))


def _asked(**fields: Any) -> Request:
    return Request(**{"dialect": "", "model": "m", "turns": (_ASK,), **fields})


def _with_parts(*parts: Any) -> Request:
    return _asked(turns=(Turn("user", (Text("Look"), *parts)),))


def _answered(result: ToolResult) -> Request:
    return _asked(turns=(_ASK, _CALL, Turn("user", (result,))), tools=(_TOOL,))


def _tooled(choice: ToolChoice | None = None, *tools: ToolSpec, **fields: Any) -> Request:
    return _asked(tools=tools or (_TOOL, _OTHER), tool_choice=choice, **fields)


CONCEPTS: Mapping[str, Request] = {
    "text": _asked(),
    "system message": _asked(instructions=(Turn("system", (Text("Be brief."),)),)),
    "system message in the middle": _asked(
        turns=(_ASK, Turn("assistant", (Text("Hi"),)), Turn("system", (Text("Now French."),)), _ASK)
    ),
    "answer begun by the client (prefill)": _asked(turns=(_ASK, Turn("assistant", (Text("The answer is"),)))),
    "image as data": _with_parts(Image(data=_PNG, media_type="image/png")),
    "image by URL": _with_parts(Image(url="https://pictures.example/dot.png")),
    "PDF": _with_parts(File(data=_PDF, media_type="application/pdf", filename="a.pdf")),
    "plain text document": _with_parts(File(text="Plain words.", title="A title")),
    "audio": _with_parts(Audio(_PNG, "audio/wav")),
    "image in a tool result": _answered(ToolResult("call_1", (Image(data=_PNG, media_type="image/png"),), "weather")),
    "failed tool result": _answered(ToolResult("call_1", (Text("No network"),), "weather", is_error=True)),
    "tool call and result": _answered(ToolResult("call_1", (Text("Sunny"),), "weather")),
    "thinking in the history": _asked(turns=(_ASK, Turn("assistant", (Reasoning("Hm."), Text("Hi"))), _ASK)),
    "refusal in the history": _asked(turns=(_ASK, Turn("assistant", (Refusal("No."),)), _ASK)),
    "function tools": _tooled(),
    "strict tool schema": _tooled(None, ToolSpec("function", "weather", "", schema=_CLOSED, strict=True)),
    "free-form (custom) tool": _tooled(None, ToolSpec("custom", "patch", "openai_responses")),
    "tool in a namespace": _tooled(
        None, ToolSpec("function", "read", "openai_responses", namespace="files", schema=_SCHEMA)
    ),
    "hosted web search beside functions": _tooled(
        None, _TOOL, ToolSpec("web_search", "web_search", "openai_responses")
    ),
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
    "cache marks": _asked(turns=(Turn("user", (Text("Long text", cache=CacheMark("1h")),)),)),
    "prompt_cache_key": _asked(cache=CacheWish(key="conversation-1")),
    "service tier": _asked(service_tier="priority"),
    "metadata": _asked(metadata={"team": "a"}),
    "user": _asked(user_id="user-1"),
    "safety settings": _asked(
        safety_settings=({"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"},)
    ),
    "num_ctx and other runtime options": _asked(runtime={"num_ctx": 8192}),
    "keep_alive": _asked(keep_alive="5m"),
    "background": _asked(state=State(background=True)),
}
