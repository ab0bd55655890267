"""What the quota wall shows of each account: how it stands, what is left and until when, and what went wrong last.

Read from the table, which all processes keep up to date; rests and calls under way are those of the process that
serves the page. A handful of queries, however many accounts there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from accounts.admin.base import ago
from accounts.models import Credential
from accounts.sanitized import masked
from analytics.readings.accounts import Room, rooms_of
from oauth.models import OAuthAccount
from proxx.console.wall import spans
from proxx.console.wall.states import PLACES, STATES, State
from proxx.kit import clock
from routing import credential_rules, health, health_admin, quota, quota_admin, quota_credits, quota_refresh, reload
from routing.health_admin import Line
from routing.models import ProviderSetting
from routing.quota import Standing

HARD = ("open", "rests", "half")


@dataclass(frozen=True, slots=True)
class Bar:
    """One window: percent used, how full (ok, warn, spent), its end as a moment and a countdown, and what will be."""

    name: str
    used: int
    level: str
    ends_at: float | None  # seconds since 1970
    left: str
    ends: str
    forecast: str
    full: str  # the moment at which it will be full, if before its end
    alarms: bool  # it will be full before it begins anew, or is


@dataclass(frozen=True, slots=True)
class Card:
    """One account. `until` is the moment (seconds since 1970) at which its state ends by itself, where one is known."""

    id: UUID
    label: str
    email: str
    provider_id: str
    provider: str
    plan: str
    kind: str
    state: State
    why: str
    until: float | None
    bars: Sequence[Bar]
    heard: str
    has_credits: bool
    rests: Sequence[Line]
    in_flight: int
    at_once: int
    last_error: str
    asking_fault: str
    can_ask: bool
    can_reset: bool
    first_of: Sequence[str]
    is_on: bool
    page: str
    again: str  # where somebody signs in to it again; empty if there is no such page

    @property
    def left(self) -> str:
        """The time until its state ends, as a countdown."""
        return spans.length(self.until - clock.unix()) if self.until is not None else ""

    @property
    def place(self) -> tuple[int, float, float, str]:
        """Where it stands on the wall: by what wants attention, then by who is back last, then by the fullest."""
        fullest = max((bar.used for bar in self.bars), default=0)
        return PLACES[self.state.name], -(self.until or 0.0), -fullest, self.label.lower()


def read(*, hides: bool, first_of: Mapping[UUID, Sequence[str]]) -> list[Card]:
    """Return all accounts, those that want attention first. `hides` masks names; `first_of` tells of which tenants an
    account is the first to be asked."""
    views = {view.id: view for held in reload.current().credentials.values() for view in held}
    known = reload.current().providers
    labels = credential_rules.provider_labels()
    off = set(ProviderSetting.objects.filter(enabled=False).values_list("provider_id", flat=True))
    rows = Credential.objects.select_related("quota", "sign_in").defer("secret")
    cards = []
    for row in rows:
        view = views.get(row.pk)
        style = quota_refresh.style_of(known[view.provider_id], view) if view is not None else ""
        is_off = not row.enabled or row.provider_id in off
        cards.append(_card(row, style, labels, is_off=is_off, hides=hides, first_of=first_of.get(row.pk, ())))
    return sorted(cards, key=lambda card: card.place)


def name_of(row: Credential, *, hides: bool) -> str:
    """Return by what name the page knows an account."""
    name = health_admin.name_of(row)
    return masked(name) if hides else name


def _card(
    row: Credential, style: str, labels: Mapping[str, str], *, is_off: bool, hides: bool, first_of: Sequence[str]
) -> Card:
    known = getattr(row, "quota", None)
    signed: OAuthAccount | None = getattr(row, "sign_in", None)
    standing = quota_admin.standing_of(row)
    bars = [_bar(room) for room in rooms_of(standing)]
    state, why, until = _state(row, standing, bars, is_off=is_off)
    failed = health_admin.last_failure(row.pk)
    return Card(
        id=row.pk,
        label=name_of(row, hides=hides),
        email=_email(signed, hides=hides),
        provider_id=row.provider_id,
        provider=labels.get(row.provider_id, row.provider_id),
        plan=row.plan_type,
        kind=row.get_kind_display(),
        state=STATES[state],
        why=why,
        until=until,
        bars=bars,
        heard=f"{ago(known.heard_at)}, {known.get_source_display()}" if known and known.heard_at and bars else "",
        has_credits=standing is not None and standing.usage.has_credits,
        rests=health_admin.lines({row.pk: ""}),
        in_flight=health.in_flight(row.pk),
        at_once=row.at_once,
        last_error=health_admin.WHY.get(failed, failed.replace("_", " ")),
        asking_fault=f"{known.fault} ({ago(known.tried_at)})" if known and known.fault else "",
        can_ask=bool(style),
        can_reset=style == quota_credits.STYLE,
        first_of=first_of,
        is_on=row.enabled,
        page=reverse("admin:accounts_credential_change", args=(row.pk,)),
        again=quota_admin.again(row),
    )


def _state(
    row: Credential, standing: Standing | None, bars: Sequence[Bar], *, is_off: bool
) -> tuple[str, str, float | None]:
    """Return how an account stands, a few words on why, and until when that is so."""
    if is_off:
        return "off", "" if not row.enabled else "its provider is off", None
    signed: OAuthAccount | None = getattr(row, "sign_in", None)
    if signed is not None and signed.state == OAuthAccount.State.SIGN_IN_AGAIN:
        return "sign_in_again", signed.fault.rstrip(".") or "its sign-in has ended", None
    if _is_over(row.expires_at) and (signed is None or not signed.can_renew):
        return "expired", "its secret is no longer valid", None
    until = quota.rests_until(standing.usage, standing.heard_at) if standing is not None else None
    if until is not None:
        return "exhausted", "a window is used up", until
    mark, said = health_admin.state_of(row.pk)
    if mark in HARD:
        return "resting", said, _rest_ends(row.pk)
    if mark == "failed":
        return "failing", "", None  # the card's last line says how
    if mark == "last":
        return "partly", said, None
    return ("low", "", None) if any(bar.level != "ok" for bar in bars) else ("working", "", None)


def _email(signed: OAuthAccount | None, *, hides: bool) -> str:
    if signed is None:
        return ""
    return masked(signed.email) if hides else signed.email


def _is_over(moment: datetime | None) -> bool:
    return moment is not None and moment <= clock.now()


def _rest_ends(key: UUID) -> float | None:
    rest = health.rests.get(key, {}).get("")
    left = rest.until - clock.monotonic() if rest is not None else 0.0
    return clock.unix() + left if left > 0 else None


def _bar(room: Room) -> Bar:
    ends_at = room.ends_at.timestamp() if room.ends_at is not None else None
    foreseen, full, alarms = _foreseen(room)
    return Bar(
        name=room.name,
        used=round(room.used),
        level=room.level,
        ends_at=ends_at,
        left=spans.length(ends_at - clock.unix()) if ends_at is not None else "",
        ends=spans.clock_time(ends_at) if ends_at is not None else "",
        forecast=foreseen,
        full=full,
        alarms=alarms,
    )


def _foreseen(room: Room) -> tuple[str, str, bool]:
    """Return how a window will end if used on as until now: in words, when it is full, and whether that is too soon."""
    if room.level == "spent":
        return "used up", "", True
    if room.forecast is None:
        return "", "", False
    if room.forecast.full_at is None:
        return f"{room.forecast.at_end:.0f} % then at this rate", "", False
    full = room.forecast.full_at.timestamp()
    return f"full in {spans.length(full - clock.unix())} at this rate", spans.clock_time(full), True
