"""The world of `benchmarks/routing_simulation.py`: accounts with windows, providers with bad hours, and who asks when.

Everything follows from a scenario and a seed, and nothing from the strategy: demand, outages and storms are drawn
before the first call. The scenarios and seeds are fixed; strategies are judged by them, not they by strategies.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp
from random import Random

SEEDS = (11, 23, 37, 41, 53, 67, 79, 83, 97, 101)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
FIVE_HOURS, WEEK = 5 * HOUR, 7 * DAY
PROVIDERS = (12, 9, 7, 6, 5, 4, 3, 2, 1, 1)  # accounts of each
# Models by who offers them: each provider has one that nobody else has, three are offered by several.
SHARED = {"shared-a": (0, 1, 2), "shared-b": (3, 4, 5), "shared-c": (6, 7, 8, 9)}
SHARED_PART = 0.4
# Size of an account by plan, against a plus account, and how many of each in a hundred.
PLANS = {"free": (0.25, 15), "plus": (1.0, 50), "team": (1.0, 20), "pro": (5.0, 15)}
MOODS = (0.3, 0.6, 1.0, 1.6, 2.4)  # how busy a model is for some days, against its usual
FORGOTTEN = 30 * MINUTE  # a provider forgets what it has read of a conversation


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is drawn: for how long, how much is asked of what there is, and what may go wrong."""

    name: str
    said: str
    days: int
    part: float  # of the calls asked for: a short scenario needs fewer
    load: float  # what is asked, against what the weekly windows (or the limits by minute) hold
    has_windows: bool
    outages: int  # of each provider
    storms: int


SCENARIOS = {
    one.name: one
    for one in (
        Scenario(
            "subscriptions",
            "28 days; plans with a five-hour and a weekly window, asked for 85 % of what they hold, unevenly",
            days=28,
            part=1.0,
            load=0.85,
            has_windows=True,
            outages=3,
            storms=4,
        ),
        Scenario(
            "shortage",
            "28 days; the same plans, asked for 130 % of what they hold",
            days=28,
            part=1.0,
            load=1.3,
            has_windows=True,
            outages=3,
            storms=4,
        ),
        Scenario(
            "by the minute",
            "2 days; keys without windows, each limited by the minute: here spreading is right, and quota-first has "
            "nothing to go by",
            days=2,
            part=0.1,
            load=0.25,
            has_windows=False,
            outages=1,
            storms=2,
        ),
    )
}


@dataclass(slots=True)
class Window:
    """So much in so many seconds. It ends that long after it began; where `waits`, the next begins with its first
    use, else at once."""

    seconds: float
    size: float
    waits: bool
    used: float = 0.0
    ends: float | None = None
    unused: float = 0.0  # what was lost at all its ends so far
    held: float = 0.0  # what it held, over all its ends so far

    def roll(self, now: float) -> None:
        """End what is over."""
        while self.ends is not None and now >= self.ends:
            self.unused += max(0.0, self.size - self.used)
            self.held += self.size
            self.used, self.ends = 0.0, None if self.waits else self.ends + self.seconds

    def take(self, now: float, cost: float) -> None:
        """Use some of it."""
        if self.ends is None:
            self.ends = now + self.seconds
        self.used += cost


@dataclass(slots=True)
class Account:
    """One upstream account, which answers or says why not."""

    provider: int
    plan: str
    windows: list[Window]
    by_minute: float  # calls; 0: no limit
    bad: list[tuple[float, float]] = field(default_factory=list)  # storms: when it answers 429, whatever it has left
    _minute: int = -1
    _asked: int = 0

    def ask(self, now: float, cost: float) -> tuple[str, float] | None:
        """Serve a call, or return the kind of the failure and the seconds it asks to stay away."""
        for begins, ends in self.bad:
            if begins <= now < ends:
                return "rate_limited", 20.0 + (ends - now) % 40
        if self.by_minute:
            minute = int(now // MINUTE)
            self._minute, self._asked = minute, (self._asked + 1 if minute == self._minute else 1)
            if self._asked > self.by_minute:
                return "rate_limited", (minute + 1) * MINUTE - now
        for window in self.windows:
            window.roll(now)
            if window.used >= window.size and window.ends is not None:
                return "quota_spent", window.ends - now
        for window in self.windows:
            window.take(now, cost)
        return None

    def tell(self, now: float) -> list[tuple[float, int, float | None]]:
        """Say of each window how long it is, how many percent of it are used, in whole numbers, and when it ends."""
        for window in self.windows:
            window.roll(now)
        return [(one.seconds, min(100, int(one.used / one.size * 100)), one.ends) for one in self.windows]


@dataclass(slots=True)
class World:
    """All accounts of a scenario, and what is asked of them."""

    scenario: Scenario
    accounts: list[Account]
    models: dict[str, tuple[int, ...]]  # and the providers that have them, in order
    outages: list[list[tuple[float, float]]]
    calls: list[tuple[float, str, float, int]]  # when, model, cost, conversation

    def is_down(self, provider: int, now: float) -> bool:
        """Tell whether a provider has an outage."""
        outages = self.outages[provider]
        place = bisect_right(outages, (now, float("inf"))) - 1
        return place >= 0 and now < outages[place][1]

    def unused(self, seconds: float) -> float:
        """Return the share of what windows of this length held that was lost at their ends."""
        windows = [one for account in self.accounts for one in account.windows if one.seconds == seconds]
        held = sum(one.held for one in windows)
        return sum(one.unused for one in windows) / held if held else 0.0


def draw(scenario: Scenario, seed: int, requests: int) -> World:
    """Draw a world in which so many calls are made (of the scenario's part); its sizes follow from their number."""
    lots = Random(f"{scenario.name} {seed}")
    models = {f"own-{one}": (one,) for one in range(len(PROVIDERS))} | SHARED
    plans = [_plan(lots) for _ in range(sum(PROVIDERS))]
    owners = [provider for provider, many in enumerate(PROVIDERS) for _ in range(many)]
    sizes = [PLANS[plan][0] for plan in plans]
    held = [sum(size for size, owner in zip(sizes, owners, strict=True) if owner == one) for one in range(10)]
    calls = list(_calls(scenario, lots, models, held, round(requests * scenario.part)))
    asked = sum(cost for _, _, cost, _ in calls)
    unit = asked / scenario.load / sum(sizes) / (scenario.days / 7)  # what a plus account holds in a week
    accounts = [
        _account(scenario, lots, owner, plan, unit * size)
        for owner, plan, size in zip(owners, plans, sizes, strict=True)
    ]
    for provider in range(10):
        for begins, ends in _spells(lots, scenario, scenario.storms, 20 * MINUTE, HOUR):
            for account in accounts:
                if account.provider == provider and lots.random() < 0.6:
                    account.bad.append((begins, ends))
    outages = [_spells(lots, scenario, scenario.outages, 10 * MINUTE, 1.5 * HOUR) for _ in range(10)]
    return World(scenario, accounts, models, outages, calls)


def _plan(lots: Random) -> str:
    return lots.choices(list(PLANS), [share for _, share in PLANS.values()])[0]


def _account(scenario: Scenario, lots: Random, owner: int, plan: str, week: float) -> Account:
    if not scenario.has_windows:
        return Account(owner, plan, [], by_minute=max(1.0, week / (WEEK / MINUTE)))
    waits = owner % 2 == 0
    windows = [Window(FIVE_HOURS, week / lots.uniform(4, 8), waits), Window(WEEK, week, waits)]
    # Nobody begins on the same day: a window under way is used as far as it is over, more or less.
    for window in windows:
        over = lots.random()
        window.ends = (1 - over) * window.seconds
        window.used = window.size * min(1.0, over * lots.uniform(0.3, 1.0))
    return Account(owner, plan, windows, by_minute=0)


def _spells(lots: Random, scenario: Scenario, many: int, shortest: float, longest: float) -> list[tuple[float, float]]:
    begins = sorted(lots.uniform(0, scenario.days * DAY) for _ in range(many))
    return [(one, one + lots.uniform(shortest, longest)) for one in begins]


def _calls(
    scenario: Scenario, lots: Random, models: dict[str, tuple[int, ...]], held: list[float], many: int
) -> Iterator[tuple[float, str, float, int]]:
    cells, weights = [], []
    shared = sum(held)
    for model, offered in models.items():
        share = sum(held[one] for one in offered) / shared
        share *= (SHARED_PART if model in SHARED else 1 - SHARED_PART) * lots.lognormvariate(0, 0.2)
        for hour, busy in enumerate(_hours(scenario, lots)):
            cells.append((hour, model))
            weights.append(share * busy)
    moments = [(hour * HOUR + lots.random() * HOUR, model) for hour, model in lots.choices(cells, weights, k=many)]
    moments.sort()
    alive: dict[str, list[int]] = {model: [] for model in models}
    for number, (moment, model) in enumerate(moments):
        talks = alive[model]
        if not talks or lots.random() < 0.15:
            talks.append(number)
            del talks[:-12]
            conversation = number
        else:
            conversation = lots.choice(talks)
        yield moment, model, lots.lognormvariate(-0.18, 0.6), conversation  # on average 1


def _hours(scenario: Scenario, lots: Random) -> Iterator[float]:
    """Say how busy each hour is: by day, by weekday, and by moods that last some days."""
    mood, left = 1.0, 0
    for day in range(scenario.days):
        if not left:
            mood, left = lots.choice(MOODS), lots.randint(1, 4)
        left -= 1
        weekday = 0.35 if day % 7 > 4 else 1.0
        for hour in range(24):
            yield mood * weekday * (0.1 + exp(-(((hour - 14) / 4.5) ** 2)))
