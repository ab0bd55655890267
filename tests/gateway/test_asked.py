"""What planning asks of a call: read from any dialect, and only if its bytes could say it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from proxx.gateway.asked import CallQuestion
from proxx.protocols import registry
from proxx.protocols.profile.options import Wishes
from routing.question import NEEDS
from tests.live import LiveProxx, running

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
URL = f"data:image/png;base64,{PIXEL}"
SOUND = {"data": "UklGRg==", "format": "wav"}
PDF = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
FUNCTION = {"name": "look", "description": "Looks.", "parameters": SCHEMA}
NAMED = {"type": "json_schema", "name": "x", "schema": SCHEMA}


def chat(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, *parts]}], **more}


def responses(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": "hi"}, *parts]
    return {"model": "m", "input": [{"type": "message", "role": "user", "content": content}], **more}


def messages(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "hi"}, *parts]
    return {"model": "m", "max_tokens": 9000, "messages": [{"role": "user", "content": content}], **more}


def gemini(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "hi"}, *parts]}], **more}


def ollama(*, images: list[str] | None = None, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": "hi"} | ({"images": images} if images else {})
    return {"model": "m", "messages": [message], **more}


def source(kind: str, data: str) -> dict[str, str]:
    return {"type": "base64", "media_type": kind, "data": data}


BODIES = [
    ("openai_chat", chat({"type": "image_url", "image_url": {"url": URL}}), "images"),
    ("openai_chat", chat({"type": "input_audio", "input_audio": SOUND}), "audio"),
    ("openai_chat", chat({"type": "file", "file": PDF}), "pdf"),
    ("openai_chat", chat(tools=[{"type": "function", "function": FUNCTION}]), "tools"),
    ("openai_chat", chat(response_format={"type": "json_schema", "json_schema": NAMED}), "schema"),
    ("openai_chat", chat(reasoning_effort="high"), "reasoning"),
    ("openai_responses", responses({"type": "input_image", "image_url": URL}), "images"),
    ("openai_responses", responses({"type": "input_file", **PDF}), "pdf"),
    ("openai_responses", responses(tools=[{"type": "function", **FUNCTION}]), "tools"),
    ("openai_responses", responses(text={"format": NAMED}), "schema"),
    ("openai_responses", responses(reasoning={"effort": "low"}), "reasoning"),
    ("anthropic", messages({"type": "image", "source": source("image/png", PIXEL)}), "images"),
    ("anthropic", messages({"type": "document", "source": source("application/pdf", "JVBERi0=")}), "pdf"),
    ("anthropic", messages(tools=[{"name": "look", "input_schema": SCHEMA}]), "tools"),
    ("anthropic", messages(thinking={"type": "enabled", "budget_tokens": 4096}), "reasoning"),
    ("gemini", gemini({"inlineData": {"mimeType": "image/png", "data": PIXEL}}), "images"),
    ("gemini", gemini({"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}), "audio"),
    ("gemini", gemini({"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}}), "pdf"),
    ("gemini", gemini(tools=[{"functionDeclarations": [{"name": "look", "parameters": {"type": "OBJECT"}}]}]), "tools"),
    ("gemini", gemini(generationConfig={"thinkingConfig": {"thinkingLevel": "high"}}), "reasoning"),
    ("ollama", ollama(images=[PIXEL]), "images"),
    ("ollama", ollama(tools=[{"type": "function", "function": FUNCTION}]), "tools"),
    ("ollama", ollama(format=SCHEMA), "schema"),
    ("ollama", ollama(think="high"), "reasoning"),
]
PLAIN = {"openai_chat": chat(), "openai_responses": responses(), "anthropic": messages(), "ollama": ollama()}


def question(dialect: str, body: Any, wishes: Wishes | None = None) -> CallQuestion:
    protocol = registry.get(dialect)
    path = {"model": "m", "stream": False} if dialect == "gemini" else {}
    envelope = protocol.read_envelope(json.dumps(body).encode(), **path)
    call = SimpleNamespace(
        dialect=protocol, envelope=envelope, wishes=wishes, request=None, strict=False, reading_notes=[]
    )
    return CallQuestion(call)


@pytest.mark.parametrize(("dialect", "body", "need"), BODIES, ids=lambda one: one if isinstance(one, str) else "")
def test_each_need_is_read_from_each_dialect(dialect: str, body: dict[str, Any], need: str) -> None:
    asked = question(dialect, body)
    assert need in asked.needs(frozenset(NEEDS))
    assert asked.needs(frozenset(NEEDS) - {need}) == frozenset()


@pytest.mark.parametrize("dialect", PLAIN)
def test_plain_words_need_nothing_and_are_not_read_for_it(dialect: str) -> None:
    asked = question(dialect, PLAIN[dialect])
    assert asked.needs(frozenset(NEEDS)) == frozenset()
    assert asked.effort() == ""
    assert asked._call.request is None


def test_words_about_pictures_are_no_pictures() -> None:
    text = {"type": "text", "text": 'Write {"type": "image_url"} and "tools" and "reasoning_effort": "high"'}
    assert question("openai_chat", chat(text)).needs(frozenset(NEEDS)) == frozenset()


def test_a_body_that_cannot_be_read_needs_nothing() -> None:
    broken = {"model": "m", "messages": "none", "reasoning_effort": "high", "tools": [1]}
    asked = question("openai_chat", broken)
    assert (asked.needs(frozenset(NEEDS)), asked.effort(), asked.text_bytes()) == (frozenset(), "", 0)


def test_media_are_no_text() -> None:
    body = chat({"type": "image_url", "image_url": {"url": URL}})
    asked = question("openai_chat", body)
    assert asked.text_bytes() == len(json.dumps(body)) - len(PIXEL)


@pytest.mark.parametrize(
    ("body", "wishes", "expected"),
    [
        (chat(reasoning_effort="low"), None, "low"),
        (chat(), Wishes(effort="high"), "high"),
        (chat(reasoning_effort="low"), Wishes(effort="high"), "low"),
        (chat(reasoning_effort="low"), Wishes(effort="high", forced=True), "high"),
        (chat(reasoning_effort="none"), None, ""),
        (chat(), Wishes(effort="none"), ""),
        (chat(), None, ""),
    ],
)
def test_the_effort_is_the_requests_else_the_profiles(body: Any, wishes: Wishes | None, expected: str) -> None:
    assert question("openai_chat", body, wishes).effort() == expected


# Through the door.

ROWS = """
from routing.models import FactSetting, ModelPreference
FactSetting.objects.create(model="sim-blind", images=False)
FactSetting.objects.create(model="sim-say", images=False)
FactSetting.objects.create(model="sim-echo", images=True, price_input=1, price_output=1)
ModelPreference.objects.create(name="deep", alias_of="sim-say\\nhigh:sim-echo")
result = None
"""


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        started.run(ROWS)
        started.stop()
        started.start()
        started.wait_until_served("deep")
        yield started


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", chat({"type": "image_url", "image_url": {"url": URL}}, model="openai/sim-blind")),
        (
            "/v1/messages",
            messages({"type": "image", "source": source("image/png", PIXEL)}, model="openai/sim-blind"),
        ),
    ],
)
def test_a_request_that_no_model_of_the_name_can_take_is_refused_saying_why(proxx: LiveProxx, path, body):
    before = len(proxx.provider.journal)
    status, _, raw = proxx.request("POST", path, body)
    error = json.loads(raw)["error"]
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert error["message"] == "The model 'openai/sim-blind' takes no images."
    assert len(proxx.provider.journal) == before


def test_the_effort_of_a_request_chooses_in_a_pool(proxx: LiveProxx):
    assert proxx.chat("deep")[0] == 200
    assert proxx.provider.journal.last.json["model"] == "sim-say"
    status, headers, _ = proxx.chat("deep", reasoning_effort="high")
    assert (status, headers["x-open-hax-model-alias"]) == (200, "deep->sim-echo")
    assert proxx.provider.journal.last.json["model"] == "sim-echo"


def test_pictures_sent_to_a_pool_go_to_the_model_that_sees(proxx: LiveProxx):
    body = chat({"type": "image_url", "image_url": {"url": URL}}, model="deep", reasoning_effort="low")
    status, _, raw = proxx.request("POST", "/v1/chat/completions", body)
    assert status == 200, raw
    assert proxx.provider.journal.last.json["model"] == "sim-echo"
