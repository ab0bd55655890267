"""A year of traffic to look at: sums of days, hours and minutes, some calls, accounts with windows. Always the same."""

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Credential
from analytics.models import RollupDue, UsageRollup
from analytics.rows import insert
from proxx.kit import clock
from routing.models import QuotaStanding
from tests import factories
from tests.analytics.records import attempt, record

# Provider, model, share of the calls, nano-dollars a token in and out, first byte (ms), tokens a second, failures.
MODELS = (
    ("openai", "gpt-5.4", 30, 2500, 15000, 820, 71, 0.012),
    ("openai", "gpt-5.4-mini", 22, 750, 4500, 430, 128, 0.006),
    ("anthropic", "claude-sonnet-4-6", 24, 3000, 15000, 1150, 64, 0.018),
    ("anthropic", "claude-haiku-4-5", 9, 1000, 5000, 510, 112, 0.009),
    ("gemini", "gemini-3-flash", 8, 300, 2500, 390, 165, 0.03),
    ("groq", "llama-4-70b", 5, 590, 790, 210, 290, 0.05),
    ("mistral", "devstral-medium", 2, None, None, 640, 88, 0.02),
)
ACCOUNTS = {
    "openai": ("team plan", "API key 1"),
    "anthropic": ("max plan", "API key 2"),
    "gemini": ("studio",),
    "groq": ("groq key",),
    "mistral": ("mistral key",),
}
LENGTHS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}


def make(*, calls_a_day: int = 4_000, days: int = 365, hours: int = 24 * 21, minutes: int = 60 * 12) -> None:
    """Store it, ending now."""
    chance = random.Random(7)
    keys = [
        factories.make_key(label="build server").row,
        factories.make_key(label="kim's laptop").row,
        factories.make_key(factories.make_tenant(name="Research"), label="notebooks").row,
    ]
    accounts = _accounts()
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hour, minute = now.replace(minute=0, second=0, microsecond=0), now.replace(second=0, microsecond=0)
    stretches = (
        ("day", today - timedelta(days=days - 1), now, calls_a_day),
        ("hour", hour - timedelta(hours=hours - 1), now, calls_a_day / 24),
        ("minute", minute - timedelta(minutes=minutes), minute, calls_a_day / 1440),
    )
    rows = [
        row
        for period, start, end, calls in stretches
        for row in _sums(chance, period, start, end, calls, keys, accounts)
    ]
    UsageRollup.objects.bulk_create(rows, batch_size=500)
    insert(list(_calls(chance, keys, accounts, now.timestamp())))
    RollupDue.objects.all().delete()  # these calls are to look at, and in the sums already


def _accounts() -> dict[str, list[Credential]]:
    made = {
        provider: [factories.make_credential(provider, label=name, secret=f"sk-sim-of-{name}") for name in names]
        for provider, names in ACCOUNTS.items()
    }
    now = clock.unix()
    for one, used in ((made["openai"][0], (62, 48)), (made["anthropic"][0], (97, 71))):
        windows = [["five_hour", used[0], now + 7_200, 18_000], ["weekly", used[1], now + 250_000, 604_800]]
        QuotaStanding.objects.create(
            credential=one, windows=windows, plan="pro", source="asked", heard_at=clock.now() - timedelta(minutes=4)
        )
    return made


def _sums(
    chance: random.Random, period: str, start: datetime, end: datetime, calls: float, keys: Any, accounts: Any
) -> Iterator[UsageRollup]:
    at = start
    while at < end:
        share = min(1.0, (end - at) / LENGTHS[period])
        busy = _busy(at, period) * (0.75 + 0.5 * chance.random()) * share
        for provider, model, weight, price_in, price_out, first, speed, fails in MODELS:
            for place, key in enumerate(keys):
                wanted = calls * busy * weight / 100 * (0.55, 0.3, 0.15)[place]
                requests = int(wanted) + (chance.random() < wanted % 1)
                if requests:
                    account = accounts[provider][(place + at.day) % len(accounts[provider])]
                    facts = (price_in, price_out, first, speed, fails)
                    yield _sum(chance, UsageRollup(
                        period=period, bucket=at, tenant_id=key.tenant_id, key_id=key.pk, provider_id=provider,
                        credential_id=account.pk, model=model, requests=requests,
                    ), *facts)  # fmt: skip
        at += LENGTHS[period]


def _sum(
    chance: random.Random, row: UsageRollup, price_in: Any, price_out: Any, first: float, speed: float, fails: float
) -> UsageRollup:
    count = row.requests
    row.errors = sum(chance.random() < fails for _ in range(min(count, 400))) * max(1, count // 400)
    row.cancelled, row.refused = (
        int(count * 0.015 + chance.random() * 0.6),
        int(chance.random() < 0.03) * (1 + count // 60),
    )
    row.cancelled, row.refused = min(row.cancelled, count - row.errors), 0 if count < 3 else row.refused
    row.ok = max(0, count - row.errors - row.cancelled - row.refused)
    row.attempts, row.retried = int(count * 1.04), int(count * 0.035 + chance.random() * 0.5)
    row.input_tokens = int(count * 5_200 * (0.7 + 0.6 * chance.random()))
    row.cache_read_tokens = int(row.input_tokens * (0.35 + 0.3 * chance.random()))
    row.cache_write_tokens = int(row.input_tokens * 0.06)
    row.fresh_tokens = row.input_tokens - row.cache_read_tokens - row.cache_write_tokens
    row.output_tokens = int(count * 620 * (0.7 + 0.6 * chance.random()))
    row.reasoning_tokens = row.output_tokens // 4
    row.text_tokens = row.output_tokens - row.reasoning_tokens
    row.cache_hits = int(row.ok * 0.6)
    row.streams = int(count * 0.8)
    row.streamed_tokens = int(row.output_tokens * 0.8)
    row.output_ms = int(row.streamed_tokens / (speed * (0.85 + 0.3 * chance.random())) * 1000)
    row.first_event_count = count - row.errors
    row.first_event_ms = int(row.first_event_count * first * (0.8 + 0.4 * chance.random()))
    row.duration_ms = row.first_event_ms + int(row.output_ms * 1.2)
    row.estimated = int(count * 0.02)
    if price_in is None:
        row.unpriced = count
    else:
        row.cost_nano = (
            row.fresh_tokens * price_in + row.cache_read_tokens * price_in // 10 + row.output_tokens * price_out
        )
    return row


def _busy(at: datetime, period: str) -> float:
    """Working days and hours are busier, and the year grows."""
    age = (clock.now() - at) / timedelta(days=365)
    weekday = 1.2 if at.weekday() < 5 else 0.35
    hours = 1.0 if period == "day" else 0.35 + 1.3 * max(0.0, math.sin((at.hour - 5) / 24 * 2 * math.pi))
    return (1.15 - 0.9 * age) * weekday * hours


def _calls(chance: random.Random, keys: Any, accounts: Any, now: float) -> Iterator[Any]:
    reasons = (("rate_limited", 429), ("upstream_error", 502), ("overloaded", 503), ("timed_out", 504))
    talks = [f"{chance.getrandbits(64):016x}" for _ in range(12)]
    for number in range(400):
        provider, model, *_ = MODELS[chance.choice((0, 0, 0, 1, 1, 2, 2, 3, 4, 5))]
        key = keys[number % 3]
        talk = chance.randrange(12)
        account: UUID = accounts[provider][(talk + (number % 37 == 0)) % len(accounts[provider])].pk
        bad = number % 12 == 0
        code, status = reasons[chance.choice((0, 0, 0, 1, 2, 3))] if bad else ("", 200)
        yield record(
            at=now - 300 - number * 160, tenant_id=key.tenant_id, key_id=key.pk, provider_id=provider,
            model_routed=model, credential_id=account, outcome="error" if bad else "ok", status=status,
            error_code=code, conversation=talks[talk], input_tokens=6_000, cache_read_tokens=0 if bad else 4_000,
            attempts=[attempt(provider_id=provider, model=model, credential_id=account)],
        )  # fmt: skip
