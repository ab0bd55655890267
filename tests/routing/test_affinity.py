"""A conversation belongs to one account in every process, yields to failures, and moves for good when it must."""

from collections import Counter
from uuid import UUID

import pytest

from proxx.kit import clock as clocks
from proxx.kit import shared_state
from routing import affinity, health, planner, providers
from routing.plan import Candidate, Plan
from routing.question import Question, Said
from routing.snapshot import CredentialView, Snapshot
from tests.routing.pictures import TENANT, credential, picture
from tests.until import until

TALK = affinity.digest(TENANT.id, b"key:one")


def eight(**fields: int) -> Snapshot:
    return picture(*(credential(id=UUID(int=0x9F3C71 * number << 40 | number), **fields) for number in range(1, 9)))


def plan(snapshot: Snapshot, talk: int = TALK, dialect: str = "openai_chat") -> Plan:
    return planner.plan(
        model="gpt-x",
        dialect=dialect,
        tenant=TENANT,
        snapshot=snapshot,
        now=clocks.monotonic(),
        question=Said(conversation=talk),
    )


def answered(found: Plan, by: Candidate, *, lets_go: bool = False) -> None:
    assert found.belonging is not None
    bound = found.belonging.bound[by.place]
    affinity.spoke(found.belonging.conversation, by, bound=bound, lets_go=lets_go)


def turn(snapshot: Snapshot, talk: int = TALK) -> Candidate:
    """Let the first of the plan answer."""
    found = plan(snapshot, talk)
    answered(found, found.candidates[0])
    return found.candidates[0]


def test_each_turn_goes_to_the_same_account_and_conversations_are_spread() -> None:
    snapshot = eight()
    assert len({turn(snapshot).key for _ in range(20)}) == 1
    talks = [affinity.digest(TENANT.id, b"key:%d" % number) for number in range(4000)]
    firsts = Counter(plan(snapshot, talk).candidates[0].key for talk in talks)
    assert sorted(firsts.values()) == pytest.approx([500] * 8, abs=90)
    assert not affinity._moves  # nothing is kept of those that stay


def test_a_heavier_account_gets_its_share_of_conversations() -> None:
    heavy = credential(weight=3, id=UUID(int=0xABCDEF0123456789))
    snapshot = picture(heavy, credential(id=UUID(int=0x1234567812345678)))
    talks = [affinity.digest(TENANT.id, b"key:%d" % number) for number in range(4000)]
    firsts = Counter(plan(snapshot, talk).candidates[0].key for talk in talks)
    assert firsts[heavy.id] == pytest.approx(3000, abs=120)


def test_an_account_that_goes_moves_only_its_own_conversations() -> None:
    snapshot = eight()
    gone, *left = snapshot.credentials["openai"]
    talks = [affinity.digest(TENANT.id, b"key:%d" % number) for number in range(500)]
    before = {talk: plan(snapshot, talk).candidates[0].key for talk in talks}
    after = {talk: plan(picture(*left), talk).candidates[0].key for talk in talks}
    assert {before[talk] for talk in talks if before[talk] != after[talk]} == {gone.id}


def test_two_tenants_never_share_a_conversation() -> None:
    assert affinity.digest(TENANT.id, b"key:one") != affinity.digest(UUID(int=2), b"key:one")


def test_calls_without_a_name_take_turns() -> None:
    snapshot = eight()
    assert affinity.digest(TENANT.id, b"") == 0
    assert len({plan(snapshot, 0).candidates[0].key for _ in range(8)}) == 8
    assert plan(snapshot, 0).belonging is None


def test_where_there_is_one_account_nobody_asks_for_the_conversation() -> None:
    class Silent(Question):
        def conversation(self) -> int:
            raise AssertionError

    snapshot = picture(credential("openai"), credential("groq"), credential("groq", priority=1))
    found = planner.plan(
        model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0, question=Silent()
    )
    assert len(found.candidates) == 3
    named = {one: providers.overlaid(providers.load()[one], {"strategy": "round_robin"}) for one in ("openai",)}
    many = picture(credential(), credential(), providers=named)
    planner.plan(model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=many, now=0.0, question=Silent())


def test_one_answer_elsewhere_is_a_trial_and_two_in_a_row_a_move(clock: clocks.Stopped) -> None:
    snapshot = eight()
    home = turn(snapshot)
    health.rest(home.key, 30)
    second = turn(snapshot)
    assert second is not home
    clock.advance(31)
    found = plan(snapshot)
    assert found.candidates[:2] == (home, second)  # on trial: next after the one it is bound to
    health.rest(home.key, 30)
    assert turn(snapshot) is second
    clock.advance(31)
    assert {turn(snapshot) for _ in range(20)} == {second}


def test_a_success_at_home_ends_the_trial(clock: clocks.Stopped) -> None:
    snapshot = eight()
    home, other = plan(snapshot).candidates[0], plan(snapshot).candidates[5]
    for by in (other, home, other, home):
        answered(plan(snapshot), by)
        assert plan(snapshot).candidates[: 1 if by is home else 2] == ((home,) if by is home else (home, other))
    assert plan(snapshot).candidates[0] is home
    assert not affinity._moves


def test_an_account_whose_plan_is_used_up_lets_go_at_once() -> None:
    snapshot = eight()
    other = plan(snapshot).candidates[1]
    answered(plan(snapshot), other, lets_go=True)
    assert plan(snapshot).candidates[0] is other


def test_a_move_is_forgotten_after_a_day_without_a_call(clock: clocks.Stopped) -> None:
    snapshot = eight()
    home, other = plan(snapshot).candidates[:2]
    answered(plan(snapshot), other, lets_go=True)
    for _ in range(3):
        clock.advance(affinity.IDLE_SECONDS - 1)
        assert turn(snapshot) is other
    clock.advance(affinity.IDLE_SECONDS + 1)
    assert plan(snapshot).candidates[0] is home
    assert not affinity._moves


def test_a_move_to_an_account_that_is_gone_counts_no_more() -> None:
    snapshot = eight()
    home, other = plan(snapshot).candidates[:2]
    answered(plan(snapshot), other, lets_go=True)
    left: list[CredentialView] = [one for one in snapshot.credentials["openai"] if one.id != other.key]
    assert plan(picture(*left)).candidates[0].key == home.key


def test_lower_priorities_come_first_whatever_the_conversation() -> None:
    first, *others = eight().credentials["openai"]
    snapshot = picture(credential(priority=1), credential(priority=1), first, *others)
    for talk in range(1, 50):
        assert [one.place[1] for one in plan(snapshot, talk).candidates] == [1, 1] + [100] * 8


def test_moves_leave_the_memory_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affinity, "MOVES_AT_MOST", 50)
    snapshot = eight()
    for talk in range(1, 200):
        answered(found := plan(snapshot, talk), found.candidates[3], lets_go=True)
    assert len(affinity._moves) == 50


def test_a_move_is_told_to_the_other_processes_as_digests_and_taken_in(
    monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    told: list[bytes] = []
    monkeypatch.setattr(shared_state, "publish", lambda _channel, message: told.append(message))
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    snapshot = eight()
    other = plan(snapshot).candidates[4]
    answered(plan(snapshot), other, lets_go=True)
    until(lambda: bool(told), seconds=5)
    assert b"key:one" not in told[0]
    affinity.forget()
    affinity._inbox.extend([*told, b"nonsense"])
    assert plan(snapshot).candidates[0] is not other  # its own words tell a process nothing new
    affinity._inbox.extend(message.replace(affinity.SENDER.encode(), b"another") for message in told)
    plan(snapshot)
    assert plan(snapshot).candidates[0] is other


def test_a_process_that_starts_is_told_all_moves(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    told: list[bytes] = []
    monkeypatch.setattr(shared_state, "publish", lambda _channel, message: told.append(message))
    snapshot = eight()
    for talk in range(1, 701):
        answered(found := plan(snapshot, talk), found.candidates[2], lets_go=True)
    affinity._inbox.append(b'{"sender":"new","is_hello":true}')
    plan(snapshot)
    until(lambda: len(told) == 2, seconds=5)
    assert sum(len(affinity._message.decode(message).moves) for message in told) == 700
