"""Another's responses by their ids: as unknown as what never was, on every way to them (security A7)."""

import json
from collections.abc import Iterator

import openai
import pytest
from websockets.sync.client import connect

from tests.clients.asking import five_upstreams, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.server import SimulatedProvider

KEYS = """
from accounts import keys
from accounts.models import Tenant
stranger = Tenant.objects.create(slug="stranger", name="Stranger")
result = {
    "colleague": keys.issue(Tenant.objects.get(slug="default"), label="other")[1],
    "stranger": keys.issue(stranger, label="other", scopes=["proxy:use", "proxy:files"])[1],
}
"""
KEPT_HERE, KEPT_THERE = upstream("anthropic", MODELS["anthropic"]), MODELS["openai_responses"]


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        started.tokens = started.run(KEYS)
        started.wait_until_known(started.tokens["stranger"])
        yield started


@pytest.mark.parametrize("who", ["colleague", "stranger"])
def test_another_key_neither_sees_nor_ends_nor_follows_a_response_that_is_kept_here(proxx: LiveProxx, who: str) -> None:
    with proxx.openai() as client, proxx.openai(api_key=proxx.tokens[who]) as other:
        made = client.responses.create(model=KEPT_HERE, input="Hi")
        for way in (other.responses.retrieve, other.responses.delete, other.responses.cancel):
            with pytest.raises(openai.NotFoundError):
                way(made.id)
        with pytest.raises(openai.NotFoundError):
            other.responses.input_items.list(made.id)
        with pytest.raises(openai.BadRequestError):
            other.responses.create(model=KEPT_HERE, input="Again", previous_response_id=made.id)
        assert client.responses.retrieve(made.id).id == made.id


@pytest.mark.parametrize("kept", ["here", "there"])
def test_a_socket_follows_no_response_of_another_tenant(proxx: LiveProxx, kept: str) -> None:
    model = KEPT_HERE if kept == "here" else upstream("openai_responses", KEPT_THERE)
    with proxx.openai() as client:
        made = client.responses.create(model=model, input="Hi")
    asked = len(proxx.provider.journal)
    headers = {"authorization": f"Bearer {proxx.tokens['stranger']}", "openai-beta": "responses_websockets=2026-02-06"}
    with connect(f"ws://127.0.0.1:{proxx.port}/v1/responses", additional_headers=headers) as socket:
        body = {"type": "response.create", "model": model, "input": "Again", "previous_response_id": made.id}
        socket.send(json.dumps(body))
        told = json.loads(socket.recv(timeout=20))
    assert (told["type"], told["error"]["code"]) == ("error", "previous_response_not_found")
    assert len(proxx.provider.journal) == asked


@pytest.mark.parametrize("base", ["/v1", "/openai/v1"])
@pytest.mark.parametrize("made_by", ["/v1", "/openai/v1"])
def test_another_tenant_cannot_follow_a_response_that_its_provider_keeps(
    proxx: LiveProxx, base: str, made_by: str
) -> None:
    model = {"/v1": upstream("openai_responses", KEPT_THERE), "/openai/v1": KEPT_THERE}
    token = proxx.tokens["stranger"]
    with (
        proxx.openai(base_url=proxx.origin + made_by) as client,
        proxx.openai(api_key=token, base_url=proxx.origin + base) as stranger,
    ):
        made = client.responses.create(model=model[made_by], input="Hi")
        asked = len(proxx.provider.journal)
        with pytest.raises(openai.BadRequestError, match="not found") as refused:
            stranger.responses.create(model=model[base], input="Again", previous_response_id=made.id)
    assert (refused.value.code, len(proxx.provider.journal)) == ("previous_response_not_found", asked)


@pytest.mark.parametrize("escaped", [False, True])
def test_a_scope_for_what_lies_in_an_account_reaches_no_response_of_another_tenant(
    proxx: LiveProxx, *, escaped: bool
) -> None:
    with proxx.openai(base_url=f"{proxx.origin}/openai/v1") as client:
        made = client.responses.create(model=KEPT_THERE, input="Hi")
    asked = len(proxx.provider.journal)
    place = "/openai/v1/responses/" + (made.id.replace("_", "%5F") if escaped else made.id)
    headers = {"authorization": f"Bearer {proxx.tokens['stranger']}"}
    for method, path in (
        ("GET", place),
        ("DELETE", place),
        ("POST", place + "/cancel"),
        ("GET", place + "/input_items"),
    ):
        status, _, said = proxx.request(method, path, None, headers)
        assert (status, json.loads(said)["error"]["code"]) == (404, "response_not_found"), (method, path)
    assert len(proxx.provider.journal) == asked
