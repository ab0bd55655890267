"""Who serves more: `python -m benchmarks.routing_simulation`.

Fifty accounts at ten providers over four simulated weeks, a million calls a seed, ten seeds: the real planner, the
real table of rests and the real strategies, over a stopped clock. Only the providers are made up
(`benchmarks/routing_world.py`). All strategies know the same of rests and quota; they differ in the order alone. A
call that nobody serves is lost; nothing is waited for. A million calls take about half a minute to a minute for one
strategy and seed; `--requests 100000` gives nearly the same shares in a tenth of the time.
"""

import argparse
import json
import logging
import random
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from benchmarks.routing_world import FIVE_HOURS, FORGOTTEN, MINUTE, PROVIDERS, SCENARIOS, SEEDS, WEEK, World, draw

RIVALS = {"round_robin": "round robin", "random": "random", "priority": "first available"}
STRATEGIES = ("quota_first", "plan_aware", "affinity")
LOOK = 20 * MINUTE  # how often the accounts are asked for their windows, beside what their answers say
Heard = dict[UUID, list[tuple[float, int, float | None]]]
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


@dataclass(slots=True)
class Score:
    """What a strategy did in one world."""

    calls: int = 0
    served: int = 0
    wasted: int = 0  # attempts that failed
    turns: int = 0  # calls whose conversation somebody still remembers
    hits: int = 0  # those that came to who remembers it
    unused_five_hours: float = 0.0  # share of what the windows held, lost at their ends
    unused_week: float = 0.0


def play(scenario: str, seed: int, requests: int, strategy: str) -> Score:
    """Play one strategy in one world and return its score; the same arguments give the same score."""
    from django.conf import settings

    from proxx.kit import clock
    from routing import affinity, cooldown, health, planner, policies, quota
    from routing.question import Said

    world = draw(SCENARIOS[scenario], seed, requests)
    snapshot, tenant, accounts = _picture(world, strategy)
    for room in (health, affinity, policies, quota):
        room.forget()
    policies.forget(seed)
    random.seed(seed)
    score = Score(calls=len(world.calls))
    last: dict[int, tuple[float, UUID]] = {}
    heard: Heard = {}
    look = 0.0
    with clock.stopped(BEGIN) as stopped:
        begin, shift = stopped.unix(), stopped.monotonic()
        at = 0.0
        for moment, model, cost, conversation in world.calls:
            stopped.advance(moment - at)
            at = moment
            if moment >= look:
                look = moment + LOOK
                for key, account in accounts.items():
                    hear(key, account.tell(moment), begin, heard)
            plan = planner.plan(
                model=model,
                dialect="openai_chat",
                tenant=tenant,
                snapshot=snapshot,
                now=shift + moment,
                question=Said(conversation=conversation * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF or 1),
            )
            before = last.get(conversation)
            remembered = before is not None and moment - before[0] < FORGOTTEN
            score.turns += remembered
            for candidate in plan.candidates[: settings.PROXY_MAX_ATTEMPTS]:
                account = accounts[candidate.key]
                if world.is_down(account.provider, moment):
                    refused = ("upstream_error", 0.0)
                else:
                    refused = account.ask(moment, cost)
                if refused is None:
                    health.good(candidate.key, model)
                    hear(candidate.key, account.tell(moment), begin, heard)
                    score.served += 1
                    score.hits += remembered and before is not None and before[1] == candidate.key
                    last[conversation] = (moment, candidate.key)
                    break
                score.wasted += 1
                cooldown.apply(_failure(*refused), candidate)
    score.unused_five_hours, score.unused_week = world.unused(FIVE_HOURS), world.unused(WEEK)
    return score


def hear(key: UUID, told: list[tuple[float, int, float | None]], begin: float, heard: Heard) -> None:
    """Tell the house what an account said of its windows, unless it said the same before."""
    if not told or heard.get(key) == told:
        return
    heard[key] = told
    from oauth.plan_usage import PlanUsage, Window, name_of
    from proxx.kit import clock
    from routing import quota

    windows = tuple(
        Window(name_of(seconds), float(used), begin + ends if ends is not None else None, seconds)
        for seconds, used, ends in told
    )
    quota.note(key, quota.Standing(PlanUsage(windows), clock.unix(), "headers"))


def _failure(kind: str, seconds: float):  # type: ignore[no-untyped-def]
    from proxx.upstream import failures

    return replace(failures.named(kind), retry_after=seconds or None)


def _picture(world: World, strategy: str):  # type: ignore[no-untyped-def]
    """Return a picture of the world's providers, its tenant, and the account behind each credential."""
    from proxx.kit.sealing import Secret
    from routing import providers
    from routing.snapshot import Catalog, CredentialView, Snapshot, TenantView

    model = replace(providers.load()["openai"], strategy=strategy)
    names = [f"p{number}" for number in range(len(PROVIDERS))]
    known = {one: replace(model, id=one, aliases=(), prefixes=()) for one in names}
    ids = [UUID(int=(place + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128) for place in range(len(world.accounts))]
    accounts = dict(zip(ids, world.accounts, strict=True))
    held = {
        name: tuple(
            CredentialView(key, name, "", "api_key", Secret("s"), str(key), 1, 1, "", plan_type=account.plan)
            for key, account in accounts.items()
            if account.provider == number
        )
        for number, name in enumerate(names)
    }
    lists = {
        name: Catalog({one: one for one, offered in world.models.items() if number in offered}, True, 0.0)
        for number, name in enumerate(names)
    }
    tenant = TenantView(UUID(int=1), "default", True, False)
    return Snapshot(1, known, held, {tenant.id: tenant}, order=tuple(known), catalogs=lists), tenant, accounts


def main() -> None:
    """Play and print the tables; the exit code tells whether quota-first kept its promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="calls of a seed (default: a million)")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help=f"default: {SEEDS}")
    parser.add_argument("--scenario", choices=SCENARIOS, nargs="+", default=list(SCENARIOS))
    parser.add_argument("--strategies", nargs="+", help="default: proxx's own and the rivals, as far as they exist")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print figures for a machine")
    asked = parser.parse_args()
    _django()
    from routing.policies import STRATEGIES as KNOWN

    played = asked.strategies or [one for one in (*STRATEGIES, *RIVALS) if one in KNOWN]
    kept = True
    for name in asked.scenario:
        jobs = [(name, seed, asked.requests, strategy) for seed in asked.seeds for strategy in played]
        with ProcessPoolExecutor(asked.processes, initializer=_django) as pool:
            scores = list(pool.map(_play, jobs))
        found = {job[1::2]: score for job, score in zip(jobs, scores, strict=True)}
        if asked.json:
            rows = [{"scenario": name, "seed": job[1], "strategy": job[3]} for job in jobs]
            print(json.dumps([row | asdict(score) for row, score in zip(rows, scores, strict=True)], indent=1))
        else:
            print("\n".join(_tables(name, asked.seeds, played, found)), flush=True)
        if name == "subscriptions" and "quota_first" in played:
            kept = _is_kept(asked.seeds, played, found)
    raise SystemExit(0 if kept else 1)


def _play(job: tuple[str, int, int, str]) -> Score:
    return play(*job)


def _tables(name: str, seeds: Iterable[int], played: list[str], found: dict[tuple[int, str], Score]) -> Iterable[str]:
    seeds = list(seeds)
    yield f"\n## {name}\n\n{SCENARIOS[name].said}. Seeds {', '.join(map(str, seeds))}.\n"
    yield "| strategy | served | wasted attempts per 1,000 | weekly quota unused at reset | five-hour | cache hits |"
    yield "|---|---|---|---|---|---|"
    for strategy in played:
        rows = [found[seed, strategy] for seed in seeds]
        calls, turns = sum(row.calls for row in rows), sum(row.turns for row in rows)
        cells = (
            f"{sum(row.served for row in rows) / calls:.2%}",
            f"{sum(row.wasted for row in rows) / calls * 1000:.1f}",
            f"{sum(row.unused_week for row in rows) / len(rows):.1%}",
            f"{sum(row.unused_five_hours for row in rows) / len(rows):.1%}",
            f"{sum(row.hits for row in rows) / max(1, turns):.1%}",
        )
        yield f"| {_name(strategy)} | {' | '.join(cells)} |"
    yield "\nCalls served, by seed:\n"
    yield f"| seed | {' | '.join(map(_name, played))} |"
    yield f"|---|{'---|' * len(played)}"
    for seed in seeds:
        yield f"| {seed} | {' | '.join(f'{found[seed, strategy].served:,}' for strategy in played)} |"


def _is_kept(seeds: Iterable[int], played: list[str], found: dict[tuple[int, str], Score]) -> bool:
    """Tell whether quota-first served at least as many as each rival with every seed, and more with eight of ten."""
    gains = [
        found[seed, "quota_first"].served - max(found[seed, one].served for one in RIVALS if one in played)
        for seed in seeds
    ]
    return min(gains) >= 0 and sum(gain > 0 for gain in gains) >= 0.8 * len(gains)


def _name(strategy: str) -> str:
    return RIVALS.get(strategy, strategy)


def _django() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.test")
    django.setup()
    logging.disable(logging.WARNING)


if __name__ == "__main__":
    main()
