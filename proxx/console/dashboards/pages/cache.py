"""Prompt caches: how much came from them, and which conversations lost their account."""

from analytics.readings import cache
from analytics.readings.cache import Audit, Cached, Conversation
from analytics.readings.sums import Sums, change
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Series, Table, Tile, number, times

MOST = 40
TALKS = 15


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    read = cache.read(asked.filters, asked.reader)
    audit = cache.audit(asked.filters)
    labels = times([at for at, _ in read.line], asked.filters.period.step)
    line = [sums for _, sums in read.line]
    shares = [None if sums.cache_share is None else 100 * sums.cache_share for sums in line]
    page = Dashboard(tiles=_tiles(read, audit))
    page.cards = [
        Chart("share", "Input that came from caches", "line", labels, [Series("from caches", shares, 3)],
              unit="percent"),
        Chart("written", "Input by kind", "bar", labels, [
            Series("fresh", [sums.input_tokens - _cached(sums) for sums in line], 4),
            Series("written to a cache", [_cached(sums) - sums.cache_read_tokens for sums in line], 2),
            Series("read from a cache", [sums.cache_read_tokens for sums in line], 3),
        ], is_stacked=True),
        _conversations("Lost conversations", audit.lost, asked, LOST_EMPTY),
        _conversations("Conversations", audit.conversations, asked, NO_CONVERSATIONS),
        _places(read, asked),
    ]  # fmt: skip
    return page


LOST_EMPTY = "None: each conversation was answered by one account."
NO_CONVERSATIONS = "No call named a conversation that several accounts could have answered."


def _cached(sums: Sums) -> int:
    return sums.cache_read_tokens + sums.cache_write_tokens + sums.cache_write_1h_tokens


def _tiles(read: Cached, audit: Audit) -> list[Tile]:
    now, before = read.now, read.before
    return [
        Tile("From caches", numbers.percent(now.cache_share), "of the input tokens",
             change(now.cache_share, before.cache_share)),
        Tile("Cache hits", numbers.percent(now.cache_hit_rate), "of the answered calls",
             change(now.cache_hit_rate, before.cache_hit_rate)),
        Tile("Read", numbers.count(now.cache_read_tokens), "tokens from caches",
             change(now.cache_read_tokens, before.cache_read_tokens), is_neutral=True),
        Tile("Conversations", numbers.count(len(audit.conversations)),
             f"in the newest {numbers.count(audit.scanned)} calls"),
        Tile("More than one account", numbers.count(audit.crossing), "conversations that were sent to several"),
        Tile("Lost", numbers.count(len(audit.lost)), "answered by several: their input was read anew",
             alarming=bool(audit.lost)),
    ]  # fmt: skip


def _conversations(title: str, found: list[Conversation], asked: Asked, empty: str) -> Table:
    rows = [
        [
            Cell(one.digest[:12], note=f"{one.provider} / {one.model}"),
            number(numbers.count(one.requests)),
            Cell(", ".join(sorted(asked.account(account) for account in one.good_accounts)) or numbers.UNKNOWN),
            Cell(", ".join(sorted(asked.account(account) for account in one.failed_accounts)) or numbers.UNKNOWN),
            number(numbers.count(one.hits)),
            number(numbers.percent(one.cache_read_tokens / one.input_tokens if one.input_tokens else None)),
            Cell(f"{one.first_at:%-d %b %H:%M}"),
            Cell(f"{one.last_at:%-d %b %H:%M}"),
        ]
        for one in found[:TALKS]
    ]
    head = ("Digest", "Calls", "Answered by", "Failed at", "Hits", "From caches", "First (UTC)", "Last (UTC)")
    hint = f"the {TALKS} with the most calls of {len(found)}" if len(found) > TALKS else ""
    return Table(title, head, rows, hint=hint, right=frozenset({1, 4, 5}), width="whole", empty=empty)


def _places(read: Cached, asked: Asked) -> Table:
    rows = [
        [
            Cell(model or numbers.UNKNOWN, note=provider),
            Cell(asked.account(account)),
            number(numbers.count(sums.requests)),
            number(numbers.percent(sums.cache_hit_rate)),
            number(numbers.count(sums.input_tokens)),
            Cell(numbers.percent(sums.cache_share), bar=100 * (sums.cache_share or 0.0)),
        ]
        for provider, model, account, sums in read.places[:MOST]
    ]
    head = ("Model", "Account", "Requests", "Hits", "Tokens in", "From caches")
    return Table("Where input came from", head, rows, right=frozenset({2, 3, 4}), width="whole")
