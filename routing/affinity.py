"""The same conversation to the same account, so that what its provider has already read counts again.

Where a conversation belongs is worked out, not looked up: each account of a group is ranked by a mix of the
conversation's digest and its own id (rendezvous hashing, by weight), so all processes agree without asking anybody,
and an account that comes or goes moves only its own conversations. Only conversations that *left* their place are
remembered: after one success elsewhere an account is on trial, after two in a row it is where the conversation
belongs. Memory is bounded, and ends after a day without a call.

Moves are told to the other processes by messages (Redis, from a thread of its own) and taken in before the next call
is planned. Nobody ever asks for a conversation: most never move, and a question for each new one would cost more than
the rare miss. A process that starts asks its peers once for all they know. Without Redis each process finds out for
itself. Digests of tenant and name are all that is kept or sent.
"""

import asyncio
import hashlib
import os
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from math import log
from operator import itemgetter
from uuid import UUID

import msgspec

from accounts.asking import Asker, TooManyWaiting
from proxx.kit import clock, shared_state
from proxx.kit.companion import Companion
from proxx.kit.configured import settings
from routing.plan import Candidate, Group, Key, Place

IDLE_SECONDS = 24 * 3600.0
MOVES_AT_MOST = 50_000
TOLD_AT_MOST = 5_000  # moves that a starting process is told by each peer, the newest
BATCH = 500  # moves in one message

CHANNEL = "affinity"
HELLO_AFTER = 2.0  # seconds: by then the subscription stands that the answers come in by
SENDER = os.urandom(8).hex()

_MASK = (1 << 64) - 1
# The golden ratio in 64 bits: multiplied by it, the high bits depend on all bits below (Fibonacci hashing). Python's
# own hash() of two numbers is no substitute: it ranked some accounts first five times as often as others.
_GOLDEN = 0x9E3779B97F4A7C15


class Move(msgspec.Struct, array_like=True):
    """A conversation that left its place, and what is known of where it went."""

    conversation: int
    provider_id: str
    priority: int
    bound: UUID | None  # nobody: where the ranking says
    trial: UUID | None  # answered once; another success, and the conversation is bound there
    used_at: float = 0.0  # here, `clock.monotonic()`


class _Message(msgspec.Struct):
    sender: str
    moves: list[Move] = []
    is_hello: bool = False


_message = msgspec.json.Decoder(_Message)
_moves: OrderedDict[tuple[int, Place], Move] = OrderedDict()  # the last used last
_outbox: deque[Move] = deque(maxlen=10_000)
_inbox: deque[bytes] = deque(maxlen=1_000)
_asker = Asker("affinity", waiting_limit=2)


def digest(tenant_id: UUID, name: bytes) -> int:
    """Return the number by which a tenant's conversation is known here; 0 for one without a name."""
    return int.from_bytes(hashlib.sha256(tenant_id.bytes + name).digest()[:8], "big") if name else 0


def ordered(group: Group, conversation: int) -> tuple[Sequence[Candidate], Key]:
    """Return the group's candidates with the conversation's own account first, and that account's key."""
    if _inbox:
        _take_in()
    ranked = ranking(group, conversation)
    move = _moves.get((conversation, group.place)) if _moves else None
    if move is None:
        return ranked, ranked[0].key
    if clock.monotonic() - move.used_at > IDLE_SECONDS:
        del _moves[(conversation, group.place)]
        return ranked, ranked[0].key
    bound = next((one for one in ranked if one.key == move.bound), ranked[0])
    leading = [bound, *(one for one in ranked if one.key == move.trial and one is not bound)]
    return (*leading, *(one for one in ranked if one not in leading)), bound.key


def ranking(group: Group, conversation: int) -> Sequence[Candidate]:
    """Return the candidates in the order that is this conversation's in every process."""
    scores: Sequence[float] = [(conversation ^ salt) * _GOLDEN & _MASK for salt in group.salts]
    if not group.is_even:
        # The wait for the first of many lots drawn by weight: the share of firsts is exactly the weight's.
        scores = [
            log((score + 1) / (_MASK + 2)) / one.weight for score, one in zip(scores, group.candidates, strict=True)
        ]
    places = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    found: tuple[Candidate, ...] = itemgetter(*places)(group.candidates)
    return found


def spoke(conversation: int, candidate: Candidate, *, bound: Key, lets_go: bool = False) -> None:
    """Note who answered a turn of a conversation that is bound to `bound`.

    `lets_go` says that the bound account has nothing left to answer with: then one success elsewhere is enough.
    """
    place = (conversation, candidate.place)
    move = _moves.get(place)
    if candidate.key == bound:
        if move is None:
            return
        move.used_at = clock.monotonic()
        _moves.move_to_end(place)
        if not move.trial:
            return
        _remember(place, move.bound, None)
        return
    key = candidate.credential.id if candidate.credential is not None else None
    if lets_go or (move is not None and move.trial == key):
        _remember(place, key, None)
    else:
        _remember(place, move.bound if move is not None else None, key)


def forget() -> None:
    """Forget all moves and messages, as after a start."""
    _moves.clear()
    _outbox.clear()
    _inbox.clear()


def _remember(place: tuple[int, Place], bound: UUID | None, trial: UUID | None) -> None:
    conversation, (provider_id, priority) = place
    move = Move(conversation, provider_id, priority, bound, trial, clock.monotonic())
    _keep(move)
    if settings.REDIS_URL:
        _outbox.append(move)
        _tell()


def _keep(move: Move) -> None:
    place = (move.conversation, (move.provider_id, move.priority))
    _moves.pop(place, None)
    if move.bound or move.trial:
        _moves[place] = move
    now = clock.monotonic()
    while _moves and (len(_moves) > MOVES_AT_MOST or now - next(iter(_moves.values())).used_at > IDLE_SECONDS):
        _moves.popitem(last=False)


def _tell() -> None:
    with suppress(TooManyWaiting):  # those who wait have not begun: they will send this, too
        _asker.ask(_send)


def _send() -> None:
    while _outbox:
        batch = [_outbox.popleft() for _ in range(min(BATCH, len(_outbox)))]
        shared_state.publish(CHANNEL, msgspec.json.encode(_Message(SENDER, batch)))


def _take_in() -> None:
    """Take in one message: a call waits for no more."""
    try:
        message = _message.decode(_inbox.popleft())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # of a version that speaks otherwise
    if message.sender == SENDER:
        return
    for move in message.moves:
        move.used_at = clock.monotonic()
        _keep(move)
    if message.is_hello:
        _outbox.extend(list(_moves.values())[-TOLD_AT_MOST:])
        _tell()


async def _share() -> None:
    """Hear what other processes tell; without Redis there is nobody to hear."""
    if not settings.REDIS_URL:
        return
    listening = shared_state.listen(CHANNEL, _inbox.append)
    hello = msgspec.json.encode(_Message(SENDER, is_hello=True))
    try:
        await asyncio.sleep(HELLO_AFTER)
        _asker.ask(lambda: shared_state.publish(CHANNEL, hello))
        await asyncio.Event().wait()
    finally:
        listening.stop()


_sharer = Companion("affinity-share", _share)
start_sharing, stop_sharing = _sharer.start, _sharer.stop
