"""What a provider rejects and can be taken away is taken away, once; everything else is the caller's to know."""

from collections.abc import Iterator
from typing import Any

import pytest

from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.parts import Blob
from tests.clients.asking import five_upstreams, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.upstreams.script import say
from tests.upstreams.server import SimulatedProvider

PATHS = {"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses", "anthropic": "/v1/messages"}
HELLO = [{"role": "user", "content": "Hello"}]
CONTENTS = [{"role": "user", "parts": [{"text": "Hello"}]}]
VERSION = {"anthropic-version": "2023-06-01"}


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        yield started


def ask(
    proxx: LiveProxx, client: str, body: dict[str, Any], *, to: str = "", model: str, **headers: str
) -> tuple[int, str, list[Any]]:
    """Send a body to a model; return status, warnings, and the bodies that the provider got."""
    proxx.provider.reset()
    proxx.provider.script(say("Hi"), model=model)
    name, path = upstream(to or client, model), PATHS.get(client, "/api/chat")
    if client == "gemini":
        name, path = name, f"/v1beta/models/{name}:generateContent"
    else:
        body = {"model": name, **body}
    sent = {**VERSION, **{key.replace("_", "-"): value for key, value in headers.items()}}
    status, told, _ = proxx.request("POST", path, body, sent)
    return status, told.get("x-proxx-warnings", ""), [entry.json for entry in proxx.provider.journal]


CHAT: dict[str, Any] = {"messages": HELLO}
RESPONSES: dict[str, Any] = {"input": "Hello", "store": False}
MESSAGES: dict[str, Any] = {"messages": HELLO, "max_tokens": 9000}
SETTINGS: dict[str, Any] = {"contents": CONTENTS, "generationConfig": {"topK": 2, "topA": 1}}
REFUSED = {
    "chat": ("openai_chat", "", "gpt-x", {**CHAT, "typical_p": 0.5}, "typical_p"),
    "responses": ("openai_responses", "", "gpt-5.1", {**RESPONSES, "temperature": 0.5}, "temperature"),
    "stream": ("openai_responses", "", "gpt-5.2", {**RESPONSES, "top_p": 0.5, "stream": True}, "top_p"),
    "messages": ("anthropic", "", "claude-opus-4-7", {**MESSAGES, "top_k": 5}, "top_k"),
    "gemini": ("gemini", "", "gemini-2.5-pro", SETTINGS, "generation_config.topA"),
    "translated": ("openai_chat", "openai_responses", "o9-x", {**CHAT, "temperature": 0.5}, "temperature"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_member_is_left_out_now_and_for_a_while(proxx: LiveProxx, case: str) -> None:
    """D157."""
    client, to, model, body, name = REFUSED[case]
    status, warnings, sent = ask(proxx, client, body, to=to, model=model)
    assert (status, len(sent)) == (200, 2)
    leaf = name.rpartition(".")[2]
    assert f"{name};the provider refused it" in warnings
    assert [leaf in str(one) for one in sent] == [True, False]
    status, warnings, sent = ask(proxx, client, body, to=to, model=model)
    assert (status, len(sent)) == (200, 1)
    assert f"{name};the provider refused it" in warnings


def test_what_one_model_refuses_is_sent_to_others(proxx: LiveProxx) -> None:
    """D157."""
    body = {**RESPONSES, "temperature": 0.5}
    assert ask(proxx, "openai_responses", body, model="gpt-5.3")[1]
    _, warnings, sent = ask(proxx, "openai_responses", body, model="gpt-4.1")
    assert (warnings, [one["temperature"] for one in sent]) == ("", [0.5])


def test_a_limit_is_sent_under_the_name_that_is_asked_for(proxx: LiveProxx) -> None:
    """D157."""
    proxx.provider.reset()
    proxx.provider.script(model="gpt-limit", fault="400-parameter")
    proxx.provider.script(say("Hi"), model="gpt-limit")
    body = {"model": upstream("openai_chat", "gpt-limit"), "messages": HELLO, "max_tokens": 50}
    status, headers, _ = proxx.request("POST", PATHS["openai_chat"], body)
    last = proxx.provider.journal.last.json
    assert (status, last.get("max_completion_tokens"), last.get("max_tokens")) == (200, 50, None)
    assert "x-proxx-warnings" not in headers


def test_a_strict_caller_is_told_instead(proxx: LiveProxx) -> None:
    """D157."""
    body = {**RESPONSES, "temperature": 0.5}
    for _ in range(2):
        status, _, sent = ask(proxx, "openai_responses", body, model="gpt-5.4", x_proxx_strict="true")
        assert (status, len(sent)) == (400, 1)
    assert ask(proxx, "openai_responses", body, model="gpt-5.4")[0] == 200
    assert ask(proxx, "openai_responses", body, model="gpt-5.4", x_proxx_strict="true")[0] == 400


ASKED = {
    "a message": ("anthropic", {**MESSAGES, "messages": [{**HELLO[0], "mood": "merry"}]}, "claude-opus-4-7"),
    "a tool": ("anthropic", {**MESSAGES, "tools": [{"name": "f", "input_schema": {"type": "object"}, "x": 1}]}, "m"),
    "a form": ("openai_responses", {**RESPONSES, "response_format": {"type": "json_object"}}, "gpt-x"),
    "a value": ("openai_responses", {**RESPONSES, "temperature": 9}, "gpt-x"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_is_never_changed(proxx: LiveProxx, case: str) -> None:
    """D156, D157."""
    client, body, model = ASKED[case]
    status, _, sent = ask(proxx, client, body, model=model)
    assert (status, len(sent)) == (400, 1)


def test_a_second_complaint_ends_the_call_and_helps_the_next(proxx: LiveProxx) -> None:
    """D157."""
    body = {**RESPONSES, "temperature": 0.5, "top_p": 0.5}
    status, _, sent = ask(proxx, "openai_responses", body, model="gpt-5.5")
    assert (status, len(sent)) == (400, 2)
    status, _, sent = ask(proxx, "openai_responses", body, model="gpt-5.5")
    assert (status, "temperature" in sent[-1], "top_p" in sent[-1]) == (200, False, False)


FORGED = {"type": "thinking", "thinking": "Hm.", "signature": "Zm9yZ2Vk"}
TALKED = [*HELLO, {"role": "assistant", "content": [FORGED, {"type": "text", "text": "Hi"}]}, *HELLO]
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAforged=="}
FOREIGN = wrap(Blob("signature", "Zm9yZ2Vk", "anthropic", "claude"))
SIGNED = {"role": "model", "parts": [{"text": "Hi", "thoughtSignature": "Zm9yZ2Vk"}]}
ANSWER = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
SEALS: dict[str, Any] = {
    "messages": ("anthropic", "", "claude-opus-4-7", {**MESSAGES, "messages": TALKED}),
    "responses": ("openai_responses", "", "gpt-5.1", {**RESPONSES, "input": [SEALED, ANSWER, *HELLO]}),
    "gemini": ("gemini", "", "gemini-3-pro-preview", {"contents": [*CONTENTS, SIGNED, *CONTENTS]}),
    "translated": (
        "openai_responses", "anthropic", "claude-opus-4-7",
        {**RESPONSES, "input": [
            *HELLO,
            {**SEALED, "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": FOREIGN},
            ANSWER, *HELLO,
        ]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEALS)
def test_seals_that_cannot_be_read_are_left_out(proxx: LiveProxx, case: str) -> None:
    """D84."""
    client, to, model, body = SEALS[case]
    status, warnings, sent = ask(proxx, client, body, to=to, model=model)
    assert (status, len(sent)) == (200, 2)
    assert "reasoning;the provider could not read its own seals" in warnings
    assert [("Zm9yZ2Vk" in str(one) or "forged" in str(one)) for one in sent] == [True, False]
    assert "'Hi'" in str(sent[-1])


EFFORTS: dict[str, Any] = {
    "responses": ("openai_responses", "gpt-5-pro", {**RESPONSES, "reasoning": {"effort": "low"}}, "'effort': 'high'"),
    "messages": (
        "anthropic", "claude-sonnet-4-6", {**MESSAGES, "output_config": {"effort": "xhigh"}}, "'effort': 'high'"
    ),
    "adaptive": (
        "anthropic", "claude-opus-4-7", {**MESSAGES, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        "'type': 'adaptive'",
    ),
    "manual": ("anthropic", "claude-opus-4-5", {**MESSAGES, "thinking": {"type": "adaptive"}}, "'type': 'enabled'"),
    "gemini": (
        "gemini", "gemini-3-pro-preview",
        {"contents": CONTENTS, "generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}},
        "'thinkingLevel': 'LOW'",
    ),
    "ollama": ("ollama", "glm-x", {"messages": HELLO, "stream": False, "think": "minimal"}, "'think': 'low'"),
}  # fmt: skip


@pytest.mark.parametrize("case", EFFORTS)
def test_the_nearest_effort_that_is_taken_is_asked_for(proxx: LiveProxx, case: str) -> None:
    """D96."""
    client, model, body, expected = EFFORTS[case]
    status, warnings, sent = ask(proxx, client, body, model=model)
    assert (status, len(sent)) == (200, 2)
    assert expected in str(sent[-1])
    assert "was asked for the nearest" in warnings
