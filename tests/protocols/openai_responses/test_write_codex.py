"""The ChatGPT backend: what it demands is there, what it refuses is not."""

from typing import Any

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Request
from tests.protocols.openai_responses.bodies import call, foreign, message, output, request, written, wrote

CODEX = {"quirks": frozenset({"codex_backend"})}


def sent(asked: Request, losses: Losses | None = None) -> dict[str, Any]:
    return written(asked, losses, **CODEX)


def test_what_it_demands_is_always_there() -> None:
    """D137."""
    body = sent(request(store=True, stream=False))
    assert (body["store"], body["stream"], body["instructions"]) == (False, True, "")
    assert isinstance(body["input"], list)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert sent(request(tools=[{"type": "function", "name": "f"}]))["parallel_tool_calls"] is True


def test_what_it_refuses_is_left_out_and_noted_where_it_matters() -> None:
    losses = Losses()
    body = sent(
        request(
            max_output_tokens=99, temperature=0.5, top_p=0.5, user="u", safety_identifier="s", metadata={"a": "b"},
            truncation="disabled", stream_options={}, prompt_cache_retention="24h", service_tier="flex",
        ),
        losses,
    )  # fmt: skip
    assert set(body) == {"model", "instructions", "input", "include", "store", "stream"}
    assert sorted(note.partition(";")[0] for note in losses.notes) == ["max_output_tokens", "temperature", "top_p"]


def test_system_is_developer_and_items_have_no_ids() -> None:
    """D91."""
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"}
    body = sent(
        request(
            message("user", "u", id="msg_1"), message("system", "s"), sealed, call("c", id="fc_1"),
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}, output("c"),
        )
    )  # fmt: skip
    assert [item.get("role") for item in body["input"][:2]] == ["user", "developer"]
    assert not any("id" in item for item in body["input"])
    assert body["input"][2] == {"type": "reasoning", "summary": [], "encrypted_content": "E"}


@pytest.mark.parametrize(("tier", "told"), [("fast", "priority"), ("priority", "priority"), ("auto", None)])
def test_only_one_tier_is_known(tier: str, told: str | None) -> None:
    assert sent(request(service_tier=tier)).get("service_tier") == told


def test_its_own_kinds_of_tools_stay_and_others_become_functions() -> None:
    """D172."""
    group = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f", "parameters": {}}]}
    tools = [{"type": "local_shell"}, {"type": "shell"}, {"type": "image_generation"}, group]
    told = sent(request(tools=tools))["tools"]
    assert [tool["type"] for tool in told] == ["local_shell", "function", "image_generation", "namespace"]
    with pytest.raises(Inexpressible):
        sent(request(tools=[{"type": "file_search"}]))


def test_a_local_shell_is_answered_as_its_own_client_does() -> None:
    shell = {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}}
    body = sent(request(shell, output("c", "files")))
    assert [item["type"] for item in body["input"]] == ["local_shell_call", "function_call_output"]


def test_tools_of_the_slim_form_are_declared_in_the_usual_place() -> None:
    """D167, D186."""
    slim = {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "f"}]}
    body = sent(request(slim, message("developer", "d"), message("user", "u")))
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert [item["type"] for item in body["input"]] == ["message"]
    assert body["instructions"] == "d"


def test_telemetry_returns_to_it_and_the_cache_key_names_the_session() -> None:
    result = wrote(request(client_metadata={"a": "b"}, prompt_cache_key="k", odd=1), **CODEX)
    assert b'"client_metadata":{"a":"b"}' in result.body
    assert b"odd" not in result.body
    assert result.headers == ((b"session_id", b"k"),)


def test_a_request_of_another_dialect_is_written_likewise() -> None:
    body = sent(foreign(Turn("user", (Text("u"),)), max_output=5, stream=False))
    assert (body["stream"], body["store"]) == (True, False)
    assert "max_output_tokens" not in body
