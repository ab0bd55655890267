"""Accounts for the quota wall, in every state there is: signed in and keyed, fresh, used up, resting, off."""

from datetime import timedelta

from accounts.models import Credential
from oauth.plan_usage import FIVE_HOURS, REVIEW, WEEK, PlanUsage, Window
from proxx.kit import clock
from routing import health, quota_store
from routing.quota import Standing

PLANS = ("plus", "pro", "team", "free")
OAUTH = Credential.Kind.OAUTH_BEARER
HOUR, DAY = 3600.0, 86400.0


def make(count: int) -> list[Credential]:
    """Store so many accounts; each tenth is like no other of its ten."""
    rows = [_row(number) for number in range(count)]
    heard = {row.pk: one for number, row in enumerate(rows) if (one := _standing(number)) is not None}
    quota_store.save(heard)
    for number, row in enumerate(rows):
        match number % 10:
            case 3:
                health.failed(row.pk, kind="rate_limited")
                health.rest(row.pk, kind="rate_limited", seconds=95)
            case 4:
                health.failed(row.pk, model="gpt-5.2-codex", kind="not_found")
                health.rest(row.pk, model="gpt-5.2-codex", kind="not_found", seconds=1800)
                health.rest(row.pk, model="gpt-5-mini", kind="overloaded", seconds=60)
            case 5:
                health.failed(row.pk, kind="auth")
    return rows


def _row(number: int) -> Credential:
    provider = {7: "zai", 8: "anthropic"}.get(number % 10, "openai")
    signed_in = provider == "openai" and number % 10 != 9
    return Credential.objects.create(
        provider_id=provider,
        secret=f"sk-wall-{number:04}",
        label=f"{('kim', 'sam', 'robin', 'alex')[number % 4]}.{number:03}@team.example",
        kind=OAUTH if signed_in else Credential.Kind.API_KEY,
        plan_type=PLANS[number % 4] if signed_in else "",
        enabled=number % 20 != 16,
        expires_at=clock.now() - timedelta(hours=2) if number % 20 == 6 else None,
    )


def _standing(number: int) -> Standing | None:
    now = clock.unix()
    short, week, first = (7 * number) % 60 + 5.0, (11 * number) % 55 + 10.0, number % 10
    if first in (8, 9):
        return None
    if first == 1:
        short, week = 100.0, 71.0
    elif first == 2:
        short, week = 62.0, 93.0
    windows = [
        Window("five_hour", short, now + FIVE_HOURS - 1.2 * HOUR - 600 * (number % 7), FIVE_HOURS),
        Window("weekly", week, now + WEEK - 2.5 * DAY - HOUR * (number % 30), WEEK),
    ]
    if first in (0, 2):
        windows.append(Window(f"{REVIEW}weekly", 4.0 * (number % 20), now + 3 * DAY, WEEK))
    source = ("asked", "headers", "refused")[number % 3]
    return Standing(PlanUsage(tuple(windows), PLANS[number % 4] if first != 7 else "", has_credits=first == 4),
                    now - 60.0 * number, source)  # fmt: skip
