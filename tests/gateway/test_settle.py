"""What the end of a call tells about the accounts it tried."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from proxx.gateway import settle
from proxx.gateway.call import Attempt
from proxx.upstream import failures
from routing import affinity, health
from routing.plan import Belonging

PLACE = ("openai", 100)


def attempt(key: int, *, failure: str = "", spoke: float | None = None, ended: float = 30.0) -> Any:
    id = UUID(int=key)
    candidate = SimpleNamespace(key=id, model="gpt-x", place=PLACE, credential=SimpleNamespace(id=id))
    named = failures.named(failure) if failure else None
    return Attempt(key, candidate, 10.0, first_event_at=spoke, ended=ended, failure=named)  # type: ignore[arg-type]


def call(*attempts: Any, outcome: str = "ok") -> Any:
    return SimpleNamespace(
        attempts=list(attempts), outcome=outcome, plan=SimpleNamespace(belonging=Belonging(5, {PLACE: UUID(int=1)}))
    )


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What affinity is told."""
    health.forget()
    heard: list[Any] = []
    monkeypatch.setattr(affinity, "spoke", lambda talk, one, **said: heard.append((talk, one.key.int, said["lets_go"])))
    return heard


def test_the_wait_for_the_first_event_is_measured_and_giving_up_counts_as_that_long() -> None:
    settle._measure(call(attempt(1, failure="timed_out"), attempt(2, failure="rate_limited"), attempt(3, spoke=10.5)))
    assert [health.first_event(UUID(int=key), "gpt-x") for key in (1, 2, 3)] == [20.0, None, 0.5]


@pytest.mark.parametrize(("failure", "lets_go"), [("quota_spent", True), ("rate_limited", False)])
def test_only_a_used_up_plan_lets_a_conversation_go_at_once(told: list[Any], failure: str, lets_go: bool) -> None:
    answer = attempt(2, spoke=11.0)
    settle._remember(call(attempt(1, failure=failure), answer), answer)
    assert told == [(5, 2, lets_go)]


def test_a_plan_that_another_account_used_up_changes_nothing(told: list[Any]) -> None:
    answer = attempt(3, spoke=11.0)
    settle._remember(call(attempt(2, failure="quota_spent"), answer), answer)
    assert told == [(5, 3, False)]


def test_a_turn_that_the_client_left_counts_once_it_was_begun(told: list[Any]) -> None:
    silent, begun = attempt(2), attempt(2, spoke=11.0)
    settle._remember(call(silent, outcome="cancelled"), silent)
    settle._remember(call(begun, outcome="error"), begun)
    assert told == []
    settle._remember(call(begun, outcome="cancelled"), begun)
    assert told == [(5, 2, False)]


def test_a_record_names_the_conversation_by_its_digest_only_where_several_accounts_could_answer() -> None:
    assert settle._conversation(call()) == "0000000000000005"
    assert settle._conversation(SimpleNamespace(plan=SimpleNamespace(belonging=None))) == ""
    assert settle._conversation(SimpleNamespace(plan=None)) == ""
