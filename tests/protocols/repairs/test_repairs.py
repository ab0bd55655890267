"""A refused member leaves a body alone otherwise; what is asked is never taken away."""

import json
from typing import Any

import pytest

from proxx.protocols.repairs.members import without
from proxx.protocols.repairs.seals import without_seals
from proxx.protocols.repairs.thinking import Taken, with_effort

BODY = b'{ "a":1.50, "seed" : 7 ,"reasoning":{"effort":"low","mode":"x"},"max_tokens": 9}'


def edited(body: dict[str, Any], dialect: str, taken: Taken) -> Any:
    """Return the body with the nearest effort, parsed."""
    return json.loads(with_effort(json.dumps(body).encode(), dialect, taken))


def unsealed(body: dict[str, Any], dialect: str) -> Any:
    """Return the body without seals, parsed."""
    return json.loads(without_seals(json.dumps(body).encode(), dialect))


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (("seed",), b'{ "a":1.50,"reasoning":{"effort":"low","mode":"x"},"max_tokens": 9}'),
        (("reasoning", "mode"), b'{ "a":1.50, "seed" : 7 ,"reasoning":{"effort":"low"},"max_tokens": 9}'),
        (("reasoning",), b'{ "a":1.50, "seed" : 7 ,"max_tokens": 9}'),
    ],
)
def test_one_member_goes_and_every_other_byte_stays(path: tuple[str, ...], left: bytes) -> None:
    """D157."""
    assert json.loads(without(BODY, path)) == json.loads(left)
    assert b'"a":1.50' in without(BODY, path)


def test_a_limit_gets_its_other_name() -> None:
    """D157."""
    found = json.loads(without(BODY, ("max_tokens",), instead="max_completion_tokens"))
    assert (found["max_completion_tokens"], "max_tokens" in found) == (9, False)


@pytest.mark.parametrize(
    "path",
    [("messages",), ("tools",), ("tool_choice",), ("response_format",), ("text", "format"), ("tools", "0", "strict"),
     ("output_config", "format"), ("generationConfig", "responseSchema"), ("n",), ("system",), ("input",), ("text",)],
)  # fmt: skip
def test_what_is_asked_is_never_taken_away(path: tuple[str, ...]) -> None:
    """D157."""
    inner: Any = {path[1]: 1, "x": 1} if len(path) > 1 else 1
    body = json.dumps({"a": 1, path[0]: inner}).encode()
    assert without(body, path) is body


def test_geminis_settings_are_found_in_both_spellings() -> None:
    """D157."""
    for name in ("generationConfig", "generation_config"):
        body = json.dumps({name: {"topA": 1, "topK": 2}}).encode()
        assert json.loads(without(body, ("generation_config", "topA"))) == {name: {"topK": 2}}


def test_without_thinking_its_clearing_goes_too() -> None:
    """D159."""
    edits = [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]
    body = json.dumps({"thinking": {"type": "adaptive"}, "context_management": {"edits": edits}}).encode()
    assert json.loads(without(body, ("thinking",))) == {"context_management": {"edits": edits[1:]}}


def test_messages_lose_thinking_and_a_manual_model_stops_thinking_between_calls() -> None:
    """D84, D86, D159."""
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    turns = [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}, call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "1"}]},
    ]
    edits = {"edits": [{"type": "clear_thinking_20251015"}]}
    body = {"messages": turns, "thinking": {"type": "enabled", "budget_tokens": 2000}, "context_management": edits}
    found = unsealed(body, "anthropic")
    assert found["messages"][0]["content"] == [call]
    assert (found["thinking"], "context_management" in found) == ({"type": "disabled"}, False)


def test_responses_lose_reasoning_and_the_ids_that_belong_to_it() -> None:
    """D84."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    found = unsealed(
        {"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}, call]}, "openai_responses"
    )
    assert found["input"] == [{name: value for name, value in call.items() if name != "id"}]


def test_geminis_calls_get_the_documented_stand_in() -> None:
    """D84."""
    parts = [{"text": "", "thoughtSignature": "x"}, {"functionCall": {"name": "f"}, "thoughtSignature": "y"}]
    found = unsealed({"contents": [{"role": "model", "parts": parts}]}, "gemini")
    assert [list(part) for part in found["contents"][0]["parts"]] == [["functionCall", "thoughtSignature"]]
    assert found["contents"][0]["parts"][0]["thoughtSignature"].startswith("c2tpcF90aG91Z2h0")


@pytest.mark.parametrize("dialect", ["anthropic", "openai_responses", "gemini", "openai_chat", "ollama", "other"])
@pytest.mark.parametrize("body", [b"{}", b"nonsense", b'{"messages":[{"role":"user","content":"x"}]}'])
def test_a_body_without_seals_stays_the_same_object(dialect: str, body: bytes) -> None:
    assert without_seals(body, dialect) is body
    assert with_effort(body, dialect, Taken(("low",))) is body


@pytest.mark.parametrize(
    ("dialect", "body", "taken", "expected"),
    [
        ("openai_chat", {"reasoning_effort": "minimal"}, Taken(("low", "high")), {"reasoning_effort": "low"}),
        ("openai_responses", {"reasoning": {"effort": "max"}}, Taken(("low", "high")),
         {"reasoning": {"effort": "high"}}),
        ("anthropic", {"output_config": {"effort": "xhigh"}}, Taken(("low", "high", "max")),
         {"output_config": {"effort": "high"}}),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 9000}}, Taken(way="adaptive"),
         {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}),
        ("anthropic", {"max_tokens": 9000, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
         Taken(way="manual"), {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MEDIUM"}}}, Taken(),
         {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}),
        ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingBudget": 5}}}, Taken(budget=(128, 999)),
         {"generationConfig": {"thinkingConfig": {"thinkingBudget": 128}}}),
        ("ollama", {"think": "max"}, Taken(("high", "low")), {"think": "high"}),
    ],
)  # fmt: skip
def test_the_nearest_effort_is_asked_for(dialect: str, body: dict[str, Any], taken: Taken, expected: Any) -> None:
    """D96."""
    assert edited(body, dialect, taken) == expected
