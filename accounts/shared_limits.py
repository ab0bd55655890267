"""Limits shared by all processes through Redis: all of a call's in one question, settled by one message.

Redis counts minutes and running calls. Of budgets it only hands out what the database has set aside for it
(tranches.py): when that does not suffice, the call that came short asks the database for more, in a thread, and then
asks again. A Redis that forgets, restarts or hangs loses tranches, never money. The scripts are limit_scripts.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from struct import pack
from typing import Any
from uuid import UUID

from accounts import limit_scripts as scripts
from accounts import tranches
from accounts.counted_here import spent
from accounts.held import Held, OverTheLimit
from accounts.ledger import Spent
from accounts.limit import LedgerEntry, LimitView
from accounts.limit_set import MOST_REMEMBERED, LimitSet, Places
from accounts.tranches import Short
from proxx.kit import clock, shared_state
from proxx.kit.configured import settings
from proxx.kit.redis_line import PATIENCE, Line, RedisAway, Script

TURNS = 200  # a call that still comes short then has met more rivals than there can be
SOON = 0.005  # seconds until what is under way has arrived
REMEMBERED = 1.0  # seconds in which the database is not asked again for what it does not have

Ask = Callable[[Callable[[], Any]], Awaitable[Any]]
MOST = scripts.MOST_EXACT

_line: Line | None = None
_calls: dict[UUID, Held] = {}  # the calls of this process that Redis holds
_growing: dict[UUID, asyncio.Task[None]] = {}  # by tranche: who asks the database for it right now
_empty: dict[UUID, tuple[int, int, float]] = {}  # by tranche: limit's amount, what the database had left, until when
_specs: dict[int, "_Spec"] = {}  # by the identity of a set of limits


@dataclass(frozen=True, slots=True)
class _Spec:
    """Some limits in the words of the scripts, and where in an answer budgets (with the start of their window) and
    limits per minute stand; true while the budgets' windows are those of `places`."""

    limits: LimitSet
    places: Places
    packed: bytes
    budgets: Sequence[tuple[int, LimitView, int]]
    minutes: Sequence[tuple[int, int]]

    def lefts(self, words: Sequence[Any]) -> dict[int, int]:
        """Return what is left of the limits per minute, by their number."""
        return {number: words[place] for place, number in self.minutes}


class NotCounted(Exception):
    """Redis cannot count this call: it is away, or the amounts are beyond it."""


def line() -> Line:
    """Return the connection of this loop."""
    global _line
    if _line is None or not _line.serves(settings.REDIS_URL):
        _line = Line(settings.REDIS_URL, scripts.ON_THE_PATH)
    return _line


async def take(held: Held, ask: Ask) -> None:
    """Reserve with all limits, all or none; raise `OverTheLimit`, `LedgerAway` or `NotCounted`.

    `ask` runs a question to the database in a thread and raises `LedgerAway`.
    """
    unix, (_, usual, tokens, nano) = clock.unix(), held.worst.amounts
    if max(usual, tokens, nano) > scripts.MOST_EXACT:
        raise NotCounted
    to, spec, call = line(), _spec(held.limits, unix), held.call_id.bytes
    lease = int(settings.PROXY_LIMIT_LEASE * 1000)
    try:
        for _ in range(TURNS):
            if not to.ready:
                await to.come()
            prefix, until = _prefix(to.run), int(to.now() + PATIENCE * 1000)
            reply = await to.ask(scripts.RESERVE, prefix, call, until, lease, usual, tokens, nano, spec.packed)
            if reply[0] == scripts.OK:
                break
            if reply[0] == scripts.REFUSED:
                raise _refusal(held.limits, spec, reply)
            if reply[0] == scripts.LATE:
                to.distrust()
                raise NotCounted
            await _grow(to, prefix, held, _shorts(spec, reply), ask)
        else:
            raise NotCounted
    except (RedisAway, asyncio.CancelledError) as fault:
        # Redis may have done it, or do it yet; nobody is left to settle it.
        to.tell(scripts.SETTLE, _prefix(to.run), call, 0, 0, b"")
        if isinstance(fault, RedisAway):
            raise NotCounted from None
        raise
    held.shared, held.lefts, held.places = prefix, spec.lefts(reply), spec.places
    held.tranches = [_tranche(reply[place], limit) for place, limit, _ in spec.budgets]
    _calls[held.call_id] = held


def give(held: Held, tokens: int, nano: int, meant: set[int] | None) -> None:
    """Settle, some time soon; `meant` are the numbers of the limits that the answer counts for (None: all)."""
    _calls.pop(held.call_id, None)
    counts = b"" if meant is None else b"".join(b"1" if one.number in meant else b"0" for one in held.limits)
    if _line is not None:
        _line.tell(scripts.SETTLE, held.shared, held.call_id.bytes, min(tokens, MOST), min(nano, MOST), counts)


def tranches_in_use() -> list[UUID]:
    """Return the tranches that running calls of this process were served from: their lease must not end."""
    return list({tranche for held in list(_calls.values()) for tranche in held.tranches})


def tend() -> None:
    """Prolong what the calls of this process hold in Redis, and give back what those of the dead held (blocking)."""
    calls = [call.bytes for call in list(_calls)]
    if calls:
        shared_state.ask(_run(scripts.RENEW, int(settings.PROXY_LIMIT_LEASE * 1000), *calls))
    settle_the_dead()


def settle_the_dead() -> int:
    """Settle the calls whose lease is over, as the ledger knows them; return how many that were (blocking)."""
    found = shared_state.ask(_run(scripts.EXPIRED, 1000))
    dead = [UUID(bytes=call) for call in found or ()]
    if dead:
        # What their journals have brought into the ledger is spent; only the rest returns.
        entries = LedgerEntry.objects.filter(pk__in=dead).values_list("id", "tokens", "nano")
        charged = {call: (min(tokens, MOST), min(nano, MOST)) for call, tokens, nano in entries}
        for call in dead:
            shared_state.ask(_run(scripts.SETTLE, call.bytes, *charged.get(call, (0, 0)), b""))
    return len(dead)


def look(limits: Sequence[LimitView]) -> list[int] | None:
    """Return of each limit what is used of it, and of each budget what of Redis' tranche is free; None if Redis is
    away (blocking)."""
    if not limits:
        return []
    found = shared_state.ask(_run(scripts.LOOK, _packed(limits, clock.unix())))
    return None if found is None else [int(used) for used in found]


def forget() -> None:
    """Begin anew, as after a start."""
    global _line
    if _line is not None:
        _line.close()
        _line = None
    for memory in (_calls, _growing, _empty, _specs):
        memory.clear()


def _prefix(run: bytes) -> bytes:
    return b"%b:limits:%b:" % (settings.REDIS_PREFIX.encode(), run[:12])


def _spec(limits: LimitSet, unix: float) -> "_Spec":
    """Return the limits as the scripts read them; most calls have those of an earlier call."""
    places = limits.places(unix)
    found = _specs.get(id(limits))
    if found is None or found.limits is not limits or found.places is not places:
        if len(_specs) >= MOST_REMEMBERED:
            _specs.clear()
        order = [place for place, one in enumerate(limits, 1) if one.is_budget]
        budgets = [(place, one, starts) for place, (one, starts) in zip(order, places, strict=True)]
        minutes = [(place, one.number) for place, one in enumerate(limits, 1) if one.period == "minute"]
        found = _specs[id(limits)] = _Spec(limits, places, _packed(limits, unix), budgets, minutes)
    return found


def _packed(limits: Sequence[LimitView], unix: float) -> bytes:
    return b"".join(
        pack(
            "<cBd16s8s",
            b"b" if one.is_budget else b"m" if one.period else b"r",
            one.slot,
            one.amount,
            one.id.bytes,
            (one.starts(unix) if one.is_budget else 0).to_bytes(8, "big"),
        )
        for one in limits
    )


def _refusal(limits: Sequence[LimitView], spec: _Spec, reply: list[Any]) -> OverTheLimit:
    limit, wait = limits[reply[1] - 1], reply[2]
    after = None if wait < 0 else wait / 1000
    return OverTheLimit(limit, retry_after=after, alone=wait < 0, lefts=spec.lefts(reply[2:]))


def _tranche(opened_by: bytes, limit: LimitView) -> UUID:
    """Return the name of a tranche in the database: of the call that opened it, and of the limit."""
    return UUID(int=int.from_bytes(opened_by, "big") ^ limit.number)


def _shorts(spec: _Spec, reply: list[Any]) -> list[tuple[Short, bytes]]:
    places = {place: (limit, starts) for place, limit, starts in spec.budgets}
    found = []
    for at in range(1, len(reply), 6):
        place, missing, opened_by, granted, old, rest = reply[at : at + 6]
        limit, starts = places[place]
        closed = _tranche(old, limit) if old else None
        tranche = _tranche(opened_by, limit)
        found.append((Short(limit, starts, tranche, max(0, missing), int(granted), closed, int(rest)), opened_by))
    return found


async def _grow(to: Line, prefix: bytes, held: Held, shorts: list[tuple[Short, bytes]], ask: Ask) -> None:
    """Have the database set more aside and hand it to Redis; or wait for who does so already."""
    for short, _ in shorts:
        if short.old is None and (others := _growing.get(short.tranche)) is not None:
            await asyncio.wait([others])
            return
    amounts = held.worst.amounts
    for short, _ in shorts:
        cap, left, until = _empty.get(short.tranche, (0, 0, 0.0))
        if until > clock.monotonic() and cap == short.limit.amount and short.missing > left and not short.rest:
            raise spent(short.limit, alone=amounts[short.limit.slot] > cap)
    # A task of its own: what the database gives must reach Redis, though the caller may be gone by then.
    task = asyncio.create_task(_ask_for_more(to, prefix, shorts, ask), name="tranches")
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    for short, _ in shorts:
        _growing[short.tranche] = task
    try:
        await asyncio.shield(task)
    except tranches.Underway:
        await asyncio.sleep(SOON)
    except tranches.TooWide:
        raise NotCounted from None
    except Spent as none:
        _remember(none, shorts)
        raise spent(none.limit, alone=amounts[none.limit.slot] > none.limit.amount) from None
    finally:
        for short, _ in shorts:
            if _growing.get(short.tranche) is task:
                del _growing[short.tranche]


async def _ask_for_more(to: Line, prefix: bytes, shorts: list[tuple[Short, bytes]], ask: Ask) -> None:
    opened = {short.tranche: opened_by for short, opened_by in shorts}
    for short, amount in await ask(partial(_more, [short for short, _ in shorts])):
        place = short.limit.id.bytes + short.starts.to_bytes(8, "big")
        if not await to.ask(scripts.GRANT, prefix, place, opened[short.tranche], amount):
            # Closed meanwhile: another turn opens the next.
            await ask(partial(tranches.give_back, short.limit.id, short.starts, short.tranche, amount))


def _more(shorts: Sequence[Short]) -> list[tuple[Short, int]]:
    try:
        return tranches.grow(shorts, lease=settings.PROXY_LIMIT_LEASE, most=scripts.MOST_EXACT)
    except Spent:
        if not settle_the_dead():
            raise
        raise tranches.Underway from None


def _remember(none: Spent, shorts: list[tuple[Short, bytes]]) -> None:
    """Spare the database for a moment the question that it has just answered."""
    if len(_empty) >= MOST_REMEMBERED:
        _empty.clear()
    tranche = next(short.tranche for short, _ in shorts if short.limit is none.limit)
    _empty[tranche] = (none.limit.amount, none.left, clock.monotonic() + REMEMBERED)


def _run(script: Script, *arguments: Any) -> Callable[[Any], Any]:
    """Run a script for a thread, with the prefix of the Redis that answers."""

    def question(client: Any) -> Any:
        run = client.info("server")["run_id"]
        return client.eval(script.text, 0, _prefix(run.encode()), *arguments)

    return question
