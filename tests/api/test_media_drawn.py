"""Pictures without an image endpoint: a model of the ChatGPT backend draws them with its tool."""

import base64
import time
from collections.abc import Iterator

import openai
import pytest

from tests.gateway.raw_upstream import RawUpstream
from tests.live import LiveProxx
from tests.protocols.openai_media.test_pictures import DRAWN, stream


def upstream(proxx: LiveProxx, provider_id: str, raw: RawUpstream) -> None:
    proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
ProviderSetting.objects.create(
    provider_id={provider_id!r}, base_url={raw.base_url!r}, protocols=["openai_responses"], quirks=["codex_backend"],
    models_paths=[],
)
Credential.objects.create(provider_id={provider_id!r}, secret="sk-sim-1", label="one")
"""
    )


def wait_until_known(proxx: LiveProxx, provider_id: str, seconds: float = 10.0) -> None:
    """Ask it in its own dialect until the configuration that leads to it has arrived; others answer till then."""
    deadline = time.monotonic() + seconds
    body = {"model": f"{provider_id}/x", "input": "hi", "stream": True}
    while True:
        status, headers, _ = proxx.request("POST", "/v1/responses", body)
        if status == 502 or headers.get("x-proxx-provider") == provider_id:
            return
        assert time.monotonic() < deadline, proxx.log


@pytest.fixture
def drawing(live_proxx: LiveProxx) -> Iterator[LiveProxx]:
    with RawUpstream(200, stream(DRAWN)) as drawing, RawUpstream(200, stream()) as talking:
        upstream(live_proxx, "draws", drawing)
        upstream(live_proxx, "talks", talking)
        for provider_id in ("draws", "talks"):
            wait_until_known(live_proxx, provider_id)
        yield live_proxx


def generate(proxx: LiveProxx, provider: str, **wishes):
    with proxx.openai() as client:
        return client.images.generate(model=f"{provider}/gpt-image-1", prompt="a cat", **wishes)


def test_a_picture_is_drawn_whole_streamed_and_twice(drawing: LiveProxx):
    """F-226."""
    made = generate(drawing, "draws", size="1024x1024")
    assert base64.b64decode(made.data[0].b64_json).startswith(b"\x89PNG")
    assert made.data[0].revised_prompt == "a small cat"
    assert made.usage.total_tokens == 18
    assert len(generate(drawing, "draws", n=2).data) == 2
    with drawing.openai() as client:
        events = list(client.images.generate(model="draws/gpt-image-1", prompt="a cat", stream=True))
    assert [event.type for event in events] == ["image_generation.completed"]
    query = "SELECT DISTINCT model_routed FROM analytics_requestlog WHERE dialect = 'openai_images' AND status = 200"
    assert drawing.wait_for_rows(query, 1) == [("gpt-5.2-codex",)]


def test_a_model_that_does_not_draw_and_a_wish_it_cannot_have(drawing: LiveProxx):
    """F-226."""
    with pytest.raises(openai.InternalServerError):
        generate(drawing, "talks")
    with pytest.raises(openai.BadRequestError):
        generate(drawing, "draws", response_format="url")
