"""Which conversation a request belongs to: all its turns give one name, other conversations another."""

import json
from typing import Any

import pytest

from proxx.protocols import registry
from proxx.protocols.hub import conversation

SAID = "say \"hello\" to {all} users, as an 'assistant' would"


def name(dialect: str, body: dict[str, Any], session: str = "", **path: Any) -> bytes:
    read = registry.get(dialect).read_envelope(json.dumps(body).encode(), **path)
    return conversation.name_of(read.traits, dialect, session)


def turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


CHAT = [turn("system", SAID * 100), turn("user", "first question")]
GEMINI = [{"role": "user", "parts": [{"text": "first question"}]}]
CASES = {
    "openai_chat": ({"model": "m"}, "messages", CHAT, turn("assistant", "an answer"), {}),
    "ollama": ({"model": "m"}, "messages", CHAT, turn("assistant", "an answer"), {}),
    "anthropic": ({"model": "m", "system": SAID}, "messages", CHAT[1:], turn("assistant", "an answer"), {}),
    "openai_responses": ({"model": "m", "instructions": SAID}, "input", CHAT[1:], {"type": "function_call"}, {}),
    "gemini": ({}, "contents", GEMINI, {"role": "model", "parts": []}, {"model": "m", "stream": False}),
}


@pytest.mark.parametrize("dialect", CASES)
def test_all_turns_have_one_name_and_another_first_question_has_another(dialect: str) -> None:
    body, member, opening, answer, path = CASES[dialect]
    first = name(dialect, {**body, member: opening}, **path)
    grown = [*opening, answer, *opening[-1:]]
    assert first.startswith(b"begins:")
    assert {name(dialect, {**body, member: grown * many}, **path) for many in (1, 9)} == {first}
    other = json.loads(json.dumps(opening).replace("first", "other"))
    assert name(dialect, {**body, member: other}, **path) != first


def test_other_instructions_make_another_conversation() -> None:
    body = {"model": "m", "max_tokens": 5, "messages": CHAT[1:]}
    assert name("anthropic", {**body, "system": SAID}) != name("anthropic", {**body, "system": SAID + "."})


def test_a_greeting_before_the_first_question_does_not_make_all_conversations_one() -> None:
    greeted = [turn("assistant", "Welcome!")]
    one = name("openai_chat", {"model": "m", "messages": [*greeted, turn("user", "a")]})
    again = [*greeted, turn("user", "a"), turn("assistant", "x"), turn("user", "c")]
    assert name("openai_chat", {"model": "m", "messages": again}) == one
    assert name("openai_chat", {"model": "m", "messages": [*greeted, turn("user", "b")]}) != one


def test_the_mark_of_what_to_cache_may_move_on() -> None:
    marked = {"type": "text", "text": "first", "cache_control": {"type": "ephemeral"}}
    plain = {"type": "text", "text": "first"}
    later = [{"role": "user", "content": [plain]}, turn("assistant", "x"), {"role": "user", "content": [marked]}]
    names = {
        name("anthropic", {"model": "m", "messages": messages})
        for messages in ([{"role": "user", "content": [marked]}], later)
    }
    assert len(names) == 1


@pytest.mark.parametrize(
    ("fields", "session", "wanted"),
    [
        ({"prompt_cache_key": " one ", "user": "u"}, "header", b"key:one"),
        ({"promptCacheKey": "two"}, "", b"key:two"),
        ({"prompt_cache_key": "", "user": "u"}, "header", b"session:header"),
        ({"metadata": {"user_id": "session_1"}, "user": "u"}, "", b"user:session_1"),
        ({"metadata": {"other": 1}, "user": "u"}, "", b"user:u"),
        ({"metadata": "user_id", "user": None}, "", b"begins:"),
    ],
)
def test_what_the_client_says_comes_first(fields: dict[str, Any], session: str, wanted: bytes) -> None:
    found = name("openai_chat", {"model": "m", "messages": CHAT, **fields}, session)
    assert found.startswith(wanted)
    assert wanted == b"begins:" or found == wanted


def test_instructions_too_long_to_find_the_question_behind_them_name_nothing() -> None:
    endless = turn("system", SAID * 2000)
    assert name("openai_chat", {"model": "m", "messages": [endless, turn("user", "a")]}) == b""
    long = turn("system", SAID * 1000)
    one, other = (name("openai_chat", {"model": "m", "messages": [long, turn("user", text)]}) for text in "ab")
    assert b"" != one != other
    assert len(one) < 5 * conversation.SAMPLE


@pytest.mark.parametrize("dialect", ["openai_embeddings", "openai_speech"])
def test_what_is_no_conversation_has_no_name_of_its_own(dialect: str) -> None:
    body = {"model": "m", "input": "text", "voice": "alloy"}
    assert name(dialect, body) == b""
    assert name(dialect, body, "header") == b"session:header"


def test_a_form_has_only_the_name_that_its_headers_give() -> None:
    assert conversation.name_of(None, "openai_transcriptions", "") == b""
    assert conversation.name_of(None, "openai_transcriptions", "s") == b"session:s"
    assert conversation.traits_of(b"no json") is None
