"""What a request asks for is read as its provider would read it, so that no spelling leads around a budget."""

import pytest

from proxx.gateway import length
from proxx.gateway.errors import BadRequest
from proxx.gateway.length import Wanted


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        (b'"one"', 1),
        (b'["one"]', 1),
        (b'["one", "two", "three"]', 3),
        (b"[1, 2, 3]", 1),
        (b"[[1, 2], [3, 4]]", 2),
        (b"[]", 1),
        (b"null", 1),
    ],
)
def test_each_prompt_of_a_list_has_answers_of_its_own(prompt: bytes, prompts: int) -> None:
    body = b'{"prompt": %b, "max_tokens": 10, "n": 2, "best_of": 4}' % prompt
    assert length.asked("openai_completions", body) == Wanted(10, 4, prompts)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_chat", b'{"max_tokens": 1, "messages": [], "max_tokens": 1000000}'),
        ("openai_chat", rb'{"max_tokens": 1, "max\u005ftokens": 1000000}'),
        ("openai_chat", b'{"n": 1, "n": 128}'),
        ("anthropic", b'{"max_tokens": 1000000, "max_tokens": 1}'),
        ("openai_responses", b'{"max_output_tokens": 1, "max_output_tokens": 9}'),
        ("gemini", b'{"generationConfig": {"maxOutputTokens": 1, "maxOutputTokens": 9}}'),
        ("gemini", b'{"generationConfig": {"maxOutputTokens": 1}, "generationConfig": {"maxOutputTokens": 9}}'),
        ("ollama", b'{"options": {"num_predict": 9, "num_predict": 1}}'),
        ("openai_images", b'{"n": 1, "n": 10}'),
    ],
)
def test_a_length_that_stands_twice_is_refused(dialect: str, body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        length.asked(dialect, body)
    assert refused.value.facts.param


def test_the_same_word_further_down_is_nobodys_business() -> None:
    body = (
        b'{"max_tokens": 5, "tools": [{"properties": {"max_tokens": 1, "n": 2}}], "messages": ["\\"max_tokens\\": 7"]}'
    )
    assert length.asked("openai_chat", body) == Wanted(5)


def test_half_a_character_hides_nothing() -> None:
    assert length.asked("openai_chat", rb'{"messages": "\ud83d", "max_tokens": 7, "n": 3}') == Wanted(7, 3)
