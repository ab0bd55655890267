"""What nobody can read is told as such: a provider's answer as malformed, a client's body as a bad request."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from proxx.gateway import asking, translate
from proxx.gateway.errors import BadRequest
from proxx.protocols import registry
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.target import Target

CALL: Any = SimpleNamespace(id=UUID(int=1), request=None)
ODD = b'{"type":"message","role":"assistant","model":[[]],"content":[{"type":"text","text":"Hi"}]}'


def too_deep(*_: object, **__: object) -> None:
    raise RecursionError


def test_an_answer_with_a_detail_of_a_wrong_form_is_no_reply() -> None:
    upstream = registry.get("anthropic")
    assert upstream.watch_whole(ODD).spoke
    chosen: Any = SimpleNamespace(upstream=upstream, target=Target("p", "claude-x", "anthropic"), mends=())
    with pytest.raises(translate.NoReply):
        translate._whole(CALL, chosen, ODD)


@pytest.mark.parametrize("name", list(registry.PROTOCOLS))
def test_an_answer_whose_model_cannot_be_renamed_is_no_reply(name: str) -> None:
    call: Any = SimpleNamespace(dialect=registry.get(name))
    with pytest.raises(translate.NoReply):
        translate._with_name(call, b'{"mod\\u0065l":"a","mod\\u0065lVersion":"a"}', "fast")


def test_a_body_too_deep_to_be_read_is_a_bad_request() -> None:
    dialect = replace(registry.get("gemini"), read_request=too_deep)
    call: Any = SimpleNamespace(request=None, strict=False, dialect=dialect, envelope=None)
    with pytest.raises(BadRequest, match="nested too deeply"):
        asking.read(call)


def test_a_request_too_deep_for_one_provider_may_suit_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_route", too_deep)
    candidate: Any = None
    with pytest.raises(Inexpressible, match="nested too deeply"):
        asking.route(CALL, candidate)
