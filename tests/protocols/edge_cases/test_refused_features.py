"""A feature that Anthropic no longer knows is taken out of the header, and the call asked once more."""

import json

from tests.clients import anthropic
from tests.clients.talk import Talk
from tests.live import LiveProxx
from tests.protocols.edge_cases.answers import whole
from tests.protocols.edge_cases.canned import Canned, Said

DEAD = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "Unexpected value(s) `dead-2024-01-01` for the `anthropic-beta` header. Please consult our "
        "documentation or try again without the header.",
    },
}
REFUSAL = Said(json.dumps(DEAD).encode(), 400)


def ask(proxx: LiveProxx, model: str, features: str, **headers: str) -> tuple[int, str]:
    """Ask by Messages; return status and warnings."""
    body = anthropic.body(Talk(model=f"raw-anthropic/{model}"))
    sent = {**anthropic.HEADERS, "anthropic-beta": features, **{k.replace("_", "-"): v for k, v in headers.items()}}
    status, told, _ = proxx.request("POST", "/v1/messages", body, sent)
    return status, told.get("x-proxx-warnings", "")


def test_a_dead_feature_is_left_out_and_the_others_stay(proxx: LiveProxx, canned: Canned) -> None:
    """D158."""
    canned.says(REFUSAL, Said(whole("anthropic")))
    assert ask(proxx, "m1", "alive-1, dead-2024-01-01") == (200, "anthropic-beta;the provider refused it")
    assert [one.headers["anthropic-beta"] for one in canned.asked] == ["alive-1, dead-2024-01-01", "alive-1"]


def test_a_dead_feature_is_remembered(proxx: LiveProxx, canned: Canned) -> None:
    """D158."""
    canned.says(REFUSAL, Said(whole("anthropic")))
    ask(proxx, "m2", "dead-2024-01-01")
    assert ask(proxx, "m2", "dead-2024-01-01") == (200, "anthropic-beta;the provider refused it")
    assert ["anthropic-beta" in one.headers for one in canned.asked] == [True, False, False]


def test_a_feature_that_nobody_asked_for_is_no_reason_to_ask_again(proxx: LiveProxx, canned: Canned) -> None:
    """D158."""
    canned.says(REFUSAL)
    assert ask(proxx, "m3", "alive-1")[0] == 400
    assert len(canned.asked) == 1


def test_a_strict_caller_keeps_its_features(proxx: LiveProxx, canned: Canned) -> None:
    """D158."""
    canned.says(REFUSAL)
    assert ask(proxx, "m4", "dead-2024-01-01", x_proxx_strict="true")[0] == 400
    assert len(canned.asked) == 1


def test_a_refusal_is_forgotten_for_other_models(proxx: LiveProxx, canned: Canned) -> None:
    """D158."""
    canned.says(REFUSAL, Said(whole("anthropic")))
    ask(proxx, "m5", "dead-2024-01-01")
    ask(proxx, "m6", "dead-2024-01-01")
    assert canned.asked[-1].headers["anthropic-beta"] == "dead-2024-01-01"
