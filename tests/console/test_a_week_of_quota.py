"""A week of calls on a controlled clock: what the planner thinks and what the wall shows is, at every step, what the
accounts' provider counts."""

import json
from random import Random

import pytest

from accounts.models import DEFAULT_TENANT_ID, Credential
from oauth.plan_usage import codex_usage
from proxx.console.wall import reading
from proxx.upstream import failures
from routing import health, planner, quota, quota_store, reload
from routing.quota import Standing
from tests.factories import make_credential
from tests.upstreams.plan import FIVE_HOURS, WEEK, Plan, PlanWindow

pytestmark = pytest.mark.django_db
ACCOUNTS, STEP, DAYS = 20, 1200.0, 7
BUSY = (0, 1, 1, 2, 3, 6)  # calls of a step
EVERY = 8  # steps between two looks at the whole wall: reading it costs most of the time


class World:
    """Twenty accounts with a truth each, and a gateway that only knows what it is told."""

    def __init__(self, clock) -> None:
        self.clock, self.random = clock, Random(7)
        self.truth: dict[Credential, Plan] = {}
        for number in range(ACCOUNTS):
            row = make_credential(
                secret=f"sk-week-{number}", label=f"a{number:02}", kind=Credential.Kind.OAUTH_BEARER,
                chatgpt_account_id=f"ws-{number}",
            )  # fmt: skip
            short, week = (4, 9, 15)[number % 3], (20, 60, 90)[number % 3]
            windows = [PlanWindow(WEEK, week)] if number % 7 == 6 else [
                PlanWindow(FIVE_HOURS, short), PlanWindow(WEEK, week)
            ]  # fmt: skip
            review = PlanWindow(WEEK, 5, used=number % 6) if number % 2 else None
            self.truth[row] = Plan(windows, review=review, now=clock.unix, credits=1)
        self.rows = {row.pk: row for row in self.truth}
        reload.install(None)
        self.snapshot = reload.current()
        self.refused = self.struck = self.served = 0

    def plan(self) -> planner.Plan:
        return planner.plan(
            model="gpt-x", dialect="openai_responses", tenant=self.snapshot.tenants[DEFAULT_TENANT_ID],
            snapshot=self.snapshot, now=self.clock.monotonic(),
        )  # fmt: skip

    def ask(self, row: Credential) -> None:
        """What the worker does every twenty minutes."""
        quota.note(row.pk, Standing(codex_usage(self.truth[row].usage()), self.clock.unix(), "asked"), is_news=True)

    def call(self) -> None:
        """One call: the candidates in their order until one serves, each heard as the gateway hears it."""
        for candidate in self.plan().candidates:
            self.clock.advance(2)
            plan = self.truth[self.rows[candidate.key]]
            refusal = plan.take()
            headers = [(name.encode(), value.encode()) for name, value in plan.headers()]
            quota.heard(candidate, headers)
            if refusal is None:
                self.served += 1
                return
            self.refused += 1
            quota.refused(candidate, failures.classify(429, {}, json.dumps(refusal.body).encode()))

    def free(self) -> set:
        return {row.pk for row, plan in self.truth.items() if plan.free_at is None}


def test_planner_and_wall_agree_with_the_truth_for_a_week(clock, settings):
    settings.PROXY_QUOTA_SPENT_PERCENT = 100.0
    health.forget()
    quota.forget()
    clock.advance(1 - clock.unix() % 1)  # whole seconds: the provider says no halves
    world = World(clock)
    for row in world.truth:
        world.ask(row)
    full = 0
    for step in range(int(DAYS * 86400 / STEP)):
        for _ in range(world.random.choice(BUSY)):
            world.call()
        disturb(world, step)
        clock.advance(STEP - clock.unix() % STEP)
        plan, free = world.plan(), world.free()
        assert {one.key for one in plan.candidates} == free, step
        full += ACCOUNTS - len(free)
        if not free:
            soonest = min(one.free_at for one in world.truth.values()) - clock.unix()
            assert plan.retry_after == pytest.approx(soonest, abs=1.0)
        if step % EVERY == 0:
            check_wall(world)
    assert world.served > 500
    assert full > 500  # there was something to be wrong about
    assert 5 < world.refused < 40  # nearly every limit was known before anybody ran into it
    health.forget()
    quota.forget()


def disturb(world: World, step: int) -> None:
    """Let happen what calls do not bring about."""
    if step % 17 == 5:  # somebody uses an account elsewhere; the worker finds out
        row = world.random.choice(list(world.truth))
        world.truth[row].take()
        world.ask(row)
    if step % 23 == 11 and (known := world.plan().candidates):  # and nobody finds out until a call is refused
        for window in world.truth[world.rows[known[0].key]].windows[-1 - step % 2 :]:
            window.used, window.ends = window.size, window.ends or world.clock.unix() + window.seconds
        before = world.refused
        for _ in range(5 * ACCOUNTS):  # accounts take turns
            if world.refused == before:
                world.call()
    if step % 101 == 50:  # an operator resets an account
        row = next((row for row, plan in world.truth.items() if plan.free_at is not None), None)
        if row is not None:
            assert world.truth[row].redeem(f"use-{step}") is not None
            world.ask(row)


def check_wall(world: World) -> None:
    quota_store.save({key: quota.standings[key] for key in world.rows})
    cards = {card.id: card for card in reading.read(hides=False, first_of={})}
    assert len(cards) == ACCOUNTS
    for row, plan in world.truth.items():
        card, now = cards[row.pk], world.clock.unix()
        assert (card.state.name == "exhausted") == (plan.free_at is not None), row.label
        if plan.free_at is not None:
            assert card.until == pytest.approx(plan.free_at, abs=1.0)
        shown = {bar.name: bar for bar in card.bars}
        names = {FIVE_HOURS: "5 h", WEEK: "week"}
        for window in plan.windows:
            window.roll(now)
            bar = shown[names[window.seconds]]
            assert bar.used == window.percent, (row.label, bar, window)
            if window.used:
                assert bar.ends_at == pytest.approx(window.ends, abs=1.0)
        if plan.review is not None:
            assert shown["review, week"].used == plan.review.percent or shown["review, week"].ends_at is None
