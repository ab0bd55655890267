"""Providers are asked for their models: all at once, each in its own way, none for long."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Credential
from proxx.kit.sealing import Secret
from routing import providers
from routing.catalog import refresh
from routing.catalog.merge import Look
from routing.models import CatalogModel, CatalogState, ProviderSetting
from routing.snapshot import CredentialView, Snapshot
from tests.routing.pictures import credential, picture

Answer = Callable[[str, dict[str, str]], tuple[int, Any]]


@asynccontextmanager
async def upstream(answer: Answer) -> AsyncIterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Serve `answer(path, headers)` on a port of its own; gives the address and what arrived."""
    arrived: list[tuple[str, dict[str, str]]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        path = head[0].split()[1]
        arrived.append((path, headers))
        status, body = answer(path, headers)
        if status:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            writer.write(
                b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(data)) + data
            )
            await writer.drain()
        else:
            await reader.read()  # until the other side gives up
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", arrived


def at(base: str, provider_id: str, *held: CredentialView) -> Snapshot:
    moved = providers.overlaid(providers.load()[provider_id], {"base_url": base})
    return picture(*held, providers={provider_id: moved}, order=(provider_id,))


def names(looks: list[Look]) -> list[str]:
    return [listed.model_id for look in looks for listed in look.models]


@pytest.mark.parametrize(
    ("provider_id", "path", "header"),
    [
        ("openai", "/v1/models", ("authorization", "Bearer sk-test")),
        ("zai", "/models", ("authorization", "Bearer sk-test")),
        ("anthropic", "/v1/models?limit=1000", ("x-api-key", "sk-test")),
        ("gemini", "/models?pageSize=1000", ("x-goog-api-key", "sk-test")),
    ],
)
async def test_each_provider_is_asked_where_and_how_it_wants(
    provider_id: str, path: str, header: tuple[str, str]
) -> None:
    async with upstream(lambda *_: (200, {"data": [{"id": "m"}]})) as (base, arrived):
        looks = await refresh.look_at(at(base, provider_id, credential(provider_id)))
    assert names(looks) == ["m"]
    assert arrived[0][0] == path
    assert arrived[0][1][header[0]] == header[1]


async def test_ollama_is_asked_for_its_tags_if_it_has_no_list_and_needs_no_key() -> None:
    def answer(path: str, _: Any) -> tuple[int, Any]:
        return (200, {"models": [{"name": "llama3:8b"}]}) if path == "/api/tags" else (404, {})

    async with upstream(answer) as (base, arrived):
        looks = await refresh.look_at(at(base, "ollama"))
    assert names(looks) == ["llama3:8b"]
    assert [path for path, _ in arrived] == ["/v1/models", "/api/tags"]
    assert "authorization" not in arrived[0][1]


async def test_the_first_account_that_gets_an_answer_wins() -> None:
    def answer(_: str, headers: dict[str, str]) -> tuple[int, Any]:
        return (200, ["m"]) if headers["authorization"].endswith("good") else (401, {})

    held = [replace(credential("openai"), secret=Secret(word)) for word in ("bad", "good", "unasked")]
    async with upstream(answer) as (base, arrived):
        looks = await refresh.look_at(at(base, "openai", *held))
    assert (names(looks), looks[0].fault, len(arrived)) == (["m"], "", 2)


async def test_accounts_with_addresses_of_their_own_are_all_asked() -> None:
    async with upstream(lambda *_: (200, ["a", "b"])) as (one, _), upstream(lambda *_: (200, ["b", "c"])) as (other, _):
        held = [credential("openai-compatible", base_url=base) for base in (one, other)]
        looks = await refresh.look_at(picture(*held))
    assert names(looks) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (500, {}, "The provider answered 500."),
        (200, b"<html>", "The answer is not JSON."),
        (200, {"hello": "world"}, "The answer is no list of models."),
        (200, {"data": []}, "The list is empty."),
    ],
)
async def test_a_useless_answer_is_told(status: int, body: Any, fault: str) -> None:
    async with upstream(lambda *_: (status, body)) as (base, _):
        looks = await refresh.look_at(at(base, "openai", credential("openai")))
    assert looks == [Look("openai", (), fault)]


async def test_nobody_waits_longer_than_the_limit(settings: Any) -> None:
    settings.CATALOG_ROUTE_TIMEOUT = 0.05
    async with upstream(lambda *_: (0, None)) as (base, _):
        looks = await refresh.look_at(at(base, "openai", credential("openai")))
    assert looks[0].fault != ""


async def test_a_provider_that_cannot_be_reached_is_told(unused_tcp_port: int) -> None:
    looks = await refresh.look_at(at(f"http://127.0.0.1:{unused_tcp_port}", "openai", credential("openai")))
    assert looks[0].fault != ""


async def test_who_lists_nothing_is_not_asked() -> None:
    assert await refresh.look_at(picture(credential("factory"))) == []


async def test_a_long_list_is_read_page_by_page() -> None:
    def answer(path: str, _: Any) -> tuple[int, Any]:
        if path.endswith("pageToken=2+b"):
            return 200, {"models": [{"name": "models/b"}]}
        return 200, {"models": [{"name": "models/a"}], "nextPageToken": "2 b"}

    async with upstream(answer) as (base, arrived):
        looks = await refresh.look_at(at(base, "gemini", credential("gemini")))
    assert names(looks) == ["a", "b"]
    assert [path for path, _ in arrived] == ["/models?pageSize=1000", "/models?pageSize=1000&pageToken=2+b"]


async def test_a_page_that_fails_leaves_the_whole_list_as_it_was() -> None:
    def answer(path: str, _: Any) -> tuple[int, Any]:
        return (500, {}) if "pageToken" in path else (200, {"models": [{"name": "models/a"}], "nextPageToken": "2"})

    async with upstream(answer) as (base, _):
        looks = await refresh.look_at(at(base, "gemini", credential("gemini")))
    assert looks == [Look("gemini", (), "The provider answered 500.")]


async def test_a_list_without_end_ends() -> None:
    numbers = iter(range(10_000))

    def answer(*_: Any) -> tuple[int, Any]:
        return 200, {"models": [{"name": f"models/m{next(numbers)}"}], "nextPageToken": "again"}

    async with upstream(answer) as (base, arrived):
        looks = await refresh.look_at(at(base, "gemini", credential("gemini")))
    assert len(names(looks)) == len(arrived) == refresh.PAGES_AT_MOST


async def test_signed_in_accounts_are_each_asked_for_their_own_codex_models(settings: Any) -> None:
    settings.MODELS_CLIENT_VERSION = "0.150.0"
    plans = {"one": ["gpt-a"], "two": ["gpt-a", "gpt-b"]}

    def answer(_: str, headers: dict[str, str]) -> tuple[int, Any]:
        return 200, {"models": [{"slug": name} for name in plans[headers["chatgpt-account-id"]]]}

    async with upstream(answer) as (base, arrived):
        held = [
            credential("openai", kind="oauth_bearer", base_url=f"{base}/backend-api", chatgpt_account_id=account)
            for account in plans
        ]
        looks = await refresh.look_at(picture(*held))
    assert names(looks) == ["gpt-a", "gpt-b"]
    assert {path for path, _ in arrived} == {"/backend-api/codex/models?client_version=0.150.0"}


@pytest.mark.django_db
def test_refresh_reads_the_configuration_and_stores_what_it_saw(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ENVIRONMENT = {"GROQ_BASE_URL": "http://127.0.0.1:9"}
    ProviderSetting.objects.filter(provider_id__in=["ollama", "tei"]).update(enabled=False)
    Credential.objects.create(provider_id="groq", secret="key")

    async def answer(*_: Any) -> tuple[list[Any], str]:
        return [refresh.Listed("llama")], ""

    monkeypatch.setattr(refresh, "_ask", answer)
    refresh.refresh()
    assert [(row.provider_id, row.model_id) for row in CatalogModel.objects.all()] == [("groq", "llama")]
    assert CatalogState.objects.get().count == 1


@pytest.mark.parametrize("rate", ["1e999999", "-1e999999", "1e-999999999", "sNaN", "1" * 5000])
async def test_a_price_beyond_all_measure_costs_the_price_and_not_the_list(rate: str) -> None:
    listed = {"data": [{"id": "a", "pricing": {"prompt": rate, "completion": "1"}}, {"id": "b"}]}
    async with upstream(lambda *_: (200, listed)) as (base, _):
        looks = await refresh.look_at(at(base, "openai", credential("openai")))
    assert (names(looks), looks[0].fault) == (["a", "b"], "")


@pytest.mark.parametrize("odd", [rb'"\udc00"', rb'"a\ud800b"', b'"\xff"', b'"\xed\xa0\x80"'])
async def test_a_name_that_is_no_text_costs_that_model_and_not_the_list(odd: bytes) -> None:
    body = b'{"data": [{"id": "a", "name": "\\ud83d\\ude00"}, {"id": ' + odd + rb'}, {"id": "\\udc00"}]}'
    async with upstream(lambda *_: (200, body)) as (base, _):
        looks = await refresh.look_at(at(base, "openai", credential("openai")))
    assert (names(looks), looks[0].fault) == (["a", "\\udc00"], "")
    assert looks[0].models[0].display_name == "\U0001f600"


async def test_whatever_one_provider_answers_the_others_lists_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(page: Any) -> Any:
        if page == ["bad"]:
            raise RuntimeError("nobody thought of this")
        return parse(page)

    parse = refresh.parse
    monkeypatch.setattr(refresh, "parse", stumbles)
    async with upstream(lambda *_: (200, ["bad"])) as (bad, _), upstream(lambda *_: (200, ["m"])) as (good, _):
        moved = {
            provider_id: providers.overlaid(providers.load()[provider_id], {"base_url": base})
            for provider_id, base in (("openai", bad), ("groq", good))
        }
        looks = await refresh.look_at(
            picture(credential("openai"), credential("groq"), providers=moved, order=("openai", "groq"))
        )
    assert looks == [Look("openai", fault="The answer could not be read."), Look("groq", (refresh.Listed("m"),))]
