"""What one process remembers about client keys, and how it asks the store about those it does not know.

Entries are keyed by the whole peppered digest and hold no secrets. Readers take no lock: dictionaries are added to or
replaced as a whole. What the answers mean to a caller is keys.py.
"""

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, Literal, TypeVar
from uuid import UUID

import django.db

from accounts import scopes as known_scopes
from accounts.asking import Asker, TooManyWaiting
from accounts.guesses import Guesses
from accounts.keeping import share_of_key
from accounts.models import ApiKey
from accounts.restricted import LISTS, origins, said
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.kit.peer import Networks

# How long after the last contact a remembered key is good even if no grace is wanted: reload polls every 2 s,
# and one late poll is no outage.
FRESH = 5.0
# Remembered keys are read again this often even if no change was announced (a row edited behind our back).
REREAD_EVERY = 25.0
REFUSED_FOR = 5.0
KNOWN_LIMIT, REFUSED_LIMIT = 20_000, 10_000
# A caller waits this long for the store; an honest answer takes milliseconds.
PATIENCE = 3.0
WAITING_LIMIT = 256
RETRY_AFTER = 5
# Below the number of parameters that any of our databases takes in one statement.
DIGESTS_PER_QUERY = 5_000
# A look-up that a refresh overtook starts again; more often than this it answers without remembering.
ROUNDS = 3

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who a token belongs to. `expires_at` is in unix seconds; `key_id` is None for the admin token and open mode.

    `own` is who brings a provider's key of their own to a listener that allows it: we know the tenant, not them, and
    `mark` (a peppered digest) is all that tells them apart. `lists` are the key's own restrictions, in the order of
    `restricted.LISTS`, empty without any: they come with the key, because it may be younger than the picture of
    the configuration. `scopes` hold all that the key's own stand for. An address must lie in each of `origins`: those
    of the tenant and the key, as far as they say anything. `bodies` is the share of its calls whose bodies are kept;
    None: its tenant's.
    """

    key_id: UUID | None
    tenant_id: UUID
    tenant: str
    label: str
    scopes: frozenset[str]
    expires_at: float | None
    kind: Literal["key", "admin", "open", "own"]
    profile_id: UUID | None = None
    mark: str = ""
    lists: tuple[str, ...] = ()
    origins: tuple[Networks, ...] = ()
    bodies: int | None = None


class Doubt(Enum):
    """What memory says when it knows neither yes nor no."""

    UNKNOWN = "unknown"


Unknown: Final = Doubt.UNKNOWN


class IdentityUnavailable(Exception):
    """The store cannot be asked who this is: answer 503 with `Retry-After`, never 401."""

    def __init__(self, retry_after: int = RETRY_AFTER) -> None:
        super().__init__("The key store cannot be asked.")
        self.retry_after = retry_after


class Memory:
    """The remembered keys of one process, what was refused a moment ago, and when the store was last heard."""

    def __init__(self) -> None:
        self.guesses = Guesses()
        self._known: dict[str, tuple[KeyHolder, float]] = {}
        self._refused: dict[str, float] = {}
        # Until when everything known is good, by the last contact; an entry read since then has its own time.
        self._good_until = 0.0
        self._read_at = clock.monotonic()
        self._generation = 0
        self._behind = False
        self._rereading: Future[None] | None = None
        self._pending: dict[str, Future[KeyHolder | IdentityUnavailable | None]] = {}
        self._lock = threading.Lock()
        self._asker = Asker("keys", waiting_limit=WAITING_LIMIT)

    def recall(self, digest: str) -> KeyHolder | Literal[Doubt.UNKNOWN] | None:
        """Answer without asking: the holder, None for a digest refused a moment ago or expired, or `Unknown`."""
        entry = self._known.get(digest)
        now = clock.monotonic()
        if entry is None:
            return None if now < self._refused.get(digest, 0.0) else Unknown
        holder, good_until = entry
        if holder.expires_at is not None and clock.unix() >= holder.expires_at:
            return None
        return holder if now <= self._good_until or now <= good_until else Unknown

    def knows_end(self, digest: str) -> bool:
        """Tell whether this is a key that has expired."""
        entry = self._known.get(digest)
        return entry is not None and entry[0].expires_at is not None and clock.unix() >= entry[0].expires_at

    def look_up(self, digest: str) -> "Future[KeyHolder | IdentityUnavailable | None]":
        """Ask the store; all who ask for one digest at a time share one query. Unavailability is an answer here."""
        with self._lock:
            pending = self._pending.get(digest)
            if pending is not None:
                return pending
            if (answer := self.recall(digest)) is not Unknown:  # the look-up before ours has ended meanwhile
                known: Future[KeyHolder | IdentityUnavailable | None] = Future()
                known.set_result(answer)
                return known
            if self._asker.busy_for() > PATIENCE:  # it hangs: to wait behind it is no use
                raise IdentityUnavailable
            try:
                future = self._pending[digest] = self._asker.ask(partial(self._ask_store, digest))
            except TooManyWaiting:
                raise IdentityUnavailable from None
        return future

    def refresh(self) -> None:
        """Read everything remembered again (blocking), then swap; a database fault leaves memory as it was."""
        digests = list(self._known)
        try:
            holders = _read(digests)
        except django.db.Error:
            self._behind = True
            raise
        now = clock.monotonic()
        with self._lock:
            # A look-up that began before this moment may have read what this refresh replaces: it must start again.
            self._generation += 1
            self._known = {digest: (holder, 0.0) for digest, holder in holders.items()}
            self._refused = {}
            self._good_until = _good_until(now)
            self._read_at = now
            self._behind = False

    def confirm(self) -> None:
        """Note that the store was heard and nothing changed, and have old entries read again in the background."""
        now = clock.monotonic()
        # After a refresh that failed the entries may miss a revocation: hearing the store confirms nothing then.
        if not self._behind:
            self._good_until = _good_until(now)
        if self._behind or (self._known and now - self._read_at >= REREAD_EVERY):
            self._reread()

    def _reread(self) -> None:
        if self._rereading is None or self._rereading.done():
            try:
                self._rereading = self._asker.ask(self._refresh_quietly)
            except TooManyWaiting:
                return  # the next poll comes in two seconds

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except django.db.Error:
            return  # remembered in `_behind`

    def _ask_store(self, digest: str) -> KeyHolder | IdentityUnavailable | None:
        try:
            return self._read_and_remember(digest)
        finally:
            with self._lock:  # look_up holds it until the look-up is noted as pending
                self._pending.pop(digest, None)

    def _read_and_remember(self, digest: str) -> KeyHolder | IdentityUnavailable | None:
        holder = None
        for _ in range(ROUNDS):
            generation = self._generation
            try:
                holder = _read([digest]).get(digest)
            except django.db.Error:
                return IdentityUnavailable()
            if self._remember(digest, holder, generation):
                break
        return holder

    def _remember(self, digest: str, holder: KeyHolder | None, generation: int) -> bool:
        now = clock.monotonic()
        with self._lock:
            if generation != self._generation:
                return False
            if holder is None:
                self._known.pop(digest, None)
                _put(self._refused, digest, now + REFUSED_FOR, REFUSED_LIMIT)
            else:
                _put(self._known, digest, (holder, _good_until(now)), KNOWN_LIMIT)
        return True


def _good_until(heard_at: float) -> float:
    return heard_at + max(settings.PROXY_KEY_GRACE, FRESH)


def _put(entries: dict[str, Value], digest: str, value: Value, limit: int) -> None:
    entries.pop(digest, None)
    if len(entries) >= limit:
        del entries[next(iter(entries))]  # the oldest: dictionaries keep their order
    entries[digest] = value


def _read(digests: list[str]) -> dict[str, KeyHolder]:
    """Return the holders of those digests that open the door now; one query for each few thousand."""
    found: dict[str, KeyHolder] = {}
    columns = (
        "digest",
        "id",
        "tenant_id",
        "tenant__slug",
        "label",
        "scopes",
        "expires_at",
        "profile_id",
        "tenant__networks",
        "networks",
        "bodies",
        "bodies_percent",
        *LISTS,
    )
    valid = ApiKey.objects.filter(revoked_at=None, tenant__is_active=True).order_by()
    for start in range(0, len(digests), DIGESTS_PER_QUERY):
        rows = valid.filter(digest__in=digests[start : start + DIGESTS_PER_QUERY]).values_list(*columns)
        for digest, key_id, tenant_id, tenant, label, scopes, expires_at, profile_id, *said_of in rows:
            found[digest] = KeyHolder(
                key_id=key_id,
                tenant_id=tenant_id,
                tenant=tenant,
                label=label,
                scopes=known_scopes.expanded(scopes),
                expires_at=expires_at.timestamp() if expires_at else None,
                kind="key",
                profile_id=profile_id,
                lists=said(tuple(said_of[4:])),
                origins=origins(said_of[:2]),
                bodies=share_of_key(*said_of[2:4]),
            )
    return found
