"""Accounts: what they have left and how that will end, how they stand, what they did."""

from datetime import datetime

from django.urls import reverse

from accounts.admin.base import ago
from analytics.readings import accounts
from analytics.readings.accounts import Account, Room
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Notice, Series, Table, Tile, number
from proxx.console.dashboards.pages.overview import tone
from proxx.kit import clock

TOP = 10
NOTHING_SAID = "its provider says nothing of quota"


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    found = accounts.read(asked.filters, asked.reader)
    page = Dashboard(tiles=_tiles(found))
    if found and not any(one.rooms for one in found):
        text = "No account has said what it has left, so there is no forecast: most providers of API keys never do."
        page.notices.append(Notice(text))
    busiest = sorted((one for one in found if one.sums.tokens), key=lambda one: -one.sums.tokens)[:TOP]
    names = [asked.account(one.credential.pk) for one in busiest]
    page.cards = [
        Chart("tokens", "Tokens by account", "doughnut", names, [
            Series("tokens", [one.sums.tokens for one in busiest]),
        ]),
        Chart("requests", "Requests by account", "across", names, [
            Series("OK", [one.sums.requests - one.sums.errors for one in busiest], "ok"),
            Series("failed", [one.sums.errors for one in busiest], "bad"),
        ], is_stacked=True),
        _windows([one for one in found if one.rooms], asked),
        _table(found, asked),
    ]  # fmt: skip
    return page


def _tiles(found: list[Account]) -> list[Tile]:
    on = [one for one in found if one.credential.enabled]
    troubled = [one for one in on if one.is_in_trouble]
    known = [one for one in on if one.rooms]
    ends = [room.ends_at for one in known for room in one.rooms if room.ends_at and room.is_spent]
    left = [100 - max((room.used for room in one.rooms if room.is_ours), default=0.0) for one in known]
    return [
        Tile("Accounts", numbers.count(len(found)), f"{len(on)} switched on"),
        Tile("Well", numbers.count(len(on) - len(troubled)), "can be asked now"),
        Tile("In trouble", numbers.count(len(troubled)), "rest, fail or are used up", alarming=bool(troubled)),
        Tile("Quota left", f"{sum(left) / len(left):.0f} %" if left else numbers.UNKNOWN,
             f"mean of {len(known)} accounts that say it" if known else "no account says it"),
        Tile("Next room", _in(min(ends)) if ends else numbers.UNKNOWN, "when a used-up window begins anew"),
    ]  # fmt: skip


def _windows(known: list[Account], asked: Asked) -> Table:
    rows = [
        [
            Cell(asked.account(one.credential.pk), note=one.credential.plan_type or one.credential.provider_id),
            Cell(room.name),
            Cell(f"{room.used:.0f} %", bar=room.used, mark={"ok": ""}.get(room.level, room.level)),
            Cell(_in(room.ends_at) if room.ends_at else "not begun"),
            Cell(*_forecast(room)),
            Cell(ago(one.heard_at)),
        ]
        for one in known
        for room in one.rooms
    ]
    head = ("Account", "Window", "Used", "Begins anew", "If used on as until now", "Heard")
    return Table("Quota windows", head, rows, width="whole", empty="No account has said what it has left.")


def _forecast(room: Room) -> tuple[str, str]:
    if room.level == "spent":
        return "used up", ""
    if room.forecast is None:
        return numbers.UNKNOWN, "unused, too early to say, or without an end"
    if room.forecast.full_at is not None:
        return f"full {_in(room.forecast.full_at)}", "before it begins anew"
    return f"{numbers.ESTIMATE} {room.forecast.at_end:.0f} % at its end", "lasts"


def _table(found: list[Account], asked: Asked) -> Table:
    rows = [
        [
            Cell(
                asked.account(one.credential.pk),
                note=one.credential.provider_id,
                href=reverse("admin:accounts_credential_change", args=[one.credential.pk]),
            ),
            Cell(one.state, mark=tone(one.mark), note=one.fault),
            Cell(numbers.percent(one.health, 0), bar=100 * one.health) if one.sums.requests else Cell(numbers.UNKNOWN),
            number(numbers.count(one.sums.requests)),
            number(numbers.percent(one.sums.error_rate)),
            number(numbers.count(one.sums.tokens)),
            number(numbers.span(one.sums.ttft_ms)),
            number(numbers.rate(one.sums.tps)),
            number(numbers.percent(one.sums.cache_hit_rate)),
            number(numbers.cost(one.sums)),
        ]
        for one in found
    ]
    head = ("Account", "State", "How it does", "Requests", "Errors", "Tokens", "First byte", "Tokens/s", "Cache hits",
            "Cost")  # fmt: skip
    return Table("Accounts", head, rows, right=frozenset(range(3, 10)), width="whole", empty="There is no account yet.")


def _in(moment: datetime) -> str:
    return ago(moment) if abs((moment - clock.now()).total_seconds()) >= 60 else "now"
