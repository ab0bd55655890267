"""Sign-ins under way: one row from the button to the account, whichever process each step meets.

A row belongs to whoever began it, lives for minutes, and is good for one account. Its state is kept as a digest, what
would let somebody else finish it (verifier, device code) sealed until it ends. Each step that must happen once is one
conditional UPDATE: whoever changed the row does it, the others look at what came of it.
"""

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.db import models
from django.db.models import F

from accounts import acting
from accounts.acting import ActorKind
from accounts.fields import SealedTextField
from proxx.kit import clock, fastjson, sealing

MOST = 200  # rows kept, the newest
KEPT = timedelta(days=1)  # at most, so that the page of an ended one still says what came of it
LIVES = {"browser": timedelta(minutes=5), "device": timedelta(minutes=15)}
TOLD = timedelta(minutes=5)  # how long the same callback is answered with the same result
# Longer than an exchange or a question may take: whoever claimed the row that long ago is dead, and the code is spent.
INTERRUPTED = timedelta(seconds=90)
WAIT = 20.0  # seconds for somebody else's exchange
LOOK_EVERY = 0.1
LONGEST_FAULT = 500


class PendingLogin(models.Model):
    """One sign-in at a provider, begun and not yet (or just) ended."""

    class Method(models.TextChoices):
        """How the provider is visited."""

        BROWSER = "browser", "Browser"
        DEVICE = "device", "Device code"

    class Status(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "Waiting for the sign-in"
        WORKING = "working", "Being finished"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    sign_in = models.CharField(max_length=64)
    method = models.CharField(max_length=8, choices=Method.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    state_digest = models.CharField(max_length=64, null=True, unique=True)
    secret = SealedTextField(blank=True)
    redirect_uri = models.CharField(max_length=500, blank=True)
    origin = models.CharField(max_length=300, blank=True)  # of the console where it was begun
    begun_by = models.CharField(max_length=120)
    replaces = models.ForeignKey(
        "accounts.Credential", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    email = models.CharField(max_length=254, blank=True)
    interval = models.PositiveIntegerField(default=0)  # seconds between two questions
    ask_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=LONGEST_FAULT, blank=True)
    said = models.CharField(max_length=LONGEST_FAULT, blank=True)  # of the account it led to
    credential = models.ForeignKey(
        "accounts.Credential", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    begun_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """The newest first; the oldest go."""

        ordering: ClassVar = ["-begun_at"]
        indexes: ClassVar = [models.Index(fields=["begun_at"], name="pending_begun")]

    def __str__(self) -> str:
        return f"{self.sign_in} by {self.get_method_display().lower()}"

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come of it, or something has."""
        return self.status in (self.Status.DONE, self.Status.FAILED)


@dataclass(frozen=True, slots=True)
class Held:
    """What a row keeps sealed while it waits: PKCE's verifier or the device code, and what its owner is shown."""

    verifier: str = ""
    device_code: str = ""
    user_code: str = ""
    away: str = ""  # where its owner signs in

    def __repr__(self) -> str:
        return "Held(...)"


def me() -> str:
    """Return who acts now, as rows name whoever began them."""
    actor = acting.current()
    return f"{actor.kind}:{actor.id}"[:120]


def is_an_operators(row: PendingLogin) -> bool:
    """Tell whether somebody with a session began it, rather than a token or a command."""
    return row.begun_by.startswith(f"{ActorKind.OPERATOR}:")


def add(held: Held, *, sign_in: str, method: str, state: str = "", seconds: float | None = None, **facts: Any) -> UUID:
    """Store a new sign-in of whoever acts now and return its id; the oldest rows go.

    It lives as long as its method's do, or `seconds` if those are fewer.
    """
    now = clock.now()
    life = min(LIVES[method], timedelta(seconds=seconds) if seconds else LIVES[method])
    row = PendingLogin(
        sign_in=sign_in, method=method, begun_by=me(), begun_at=now, ends_at=now + life, ask_at=now, **facts
    )
    row.state_digest = sealing.digest(state) if state else None
    row.secret = fastjson.dumps(asdict(held)).decode()
    row.save(force_insert=True)
    prune()
    return row.pk


def opened(row: PendingLogin) -> Held:
    """Open what a waiting row keeps; raise `sealing.SealBroken`."""
    return Held(**fastjson.loads(sealing.unseal(row.secret, context=str(row.pk)))) if row.secret else Held()


def mine(id: UUID) -> PendingLogin | None:
    """Return a sign-in of whoever acts now; another's is not there."""
    return _settled(PendingLogin.objects.filter(pk=id, begun_by=me()).select_related("credential").first())


def by_state(state: str) -> PendingLogin | None:
    """Return the sign-in that a callback's state belongs to; one that ended a while ago is not there any more."""
    row = PendingLogin.objects.filter(state_digest=sealing.digest(state)).select_related("credential").first()
    row = _settled(row)
    if row is not None and row.ended_at is not None and row.ended_at < clock.now() - TOLD:
        return None
    return row


def is_state(row: PendingLogin, state: str) -> bool:
    """Tell whether a state is this row's."""
    return row.state_digest == sealing.digest(state)


def claim(row: PendingLogin) -> bool:
    """Take a waiting sign-in to finish it; False if somebody else did, or its time is over."""
    return bool(
        _waiting(row, ends_at__gt=clock.now()).update(status=PendingLogin.Status.WORKING, claimed_at=clock.now())
    )


def claim_question(row: PendingLogin) -> bool:
    """Take the turn to ask the provider about a device code; False if the interval is not over or somebody else asks.

    The turn lasts until `answered`: of two questions at once the second would hear that the code is spent.
    """
    now = clock.now()
    return bool(_waiting(row, ask_at__lte=now, ends_at__gt=now).update(ask_at=now + INTERRUPTED))


def answered(row: PendingLogin, *, slower: int = 0) -> None:
    """End the turn to ask: the next one is after the interval, which is so many seconds longer from now on."""
    next_at = clock.now() + timedelta(seconds=row.interval + slower)
    _waiting(row).update(interval=F("interval") + slower, ask_at=next_at)


def put_back(row: PendingLogin, fault: str) -> None:
    """Let a claimed sign-in wait again: the provider was not reached, and the next try may reach it."""
    _of(row, PendingLogin.Status.WORKING).update(
        status=PendingLogin.Status.WAITING, claimed_at=None, fault=fault[:LONGEST_FAULT]
    )


def still_claimed(row: PendingLogin) -> bool:
    """Hold on to a claimed sign-in until the end of this transaction; False if it was ended meanwhile."""
    return bool(_of(row, PendingLogin.Status.WORKING).update(claimed_at=clock.now()))


def finish(row: PendingLogin, credential: Any, said: str) -> None:
    """End a claimed sign-in with the account that it led to."""
    _of(row, PendingLogin.Status.WORKING).update(
        status=PendingLogin.Status.DONE, credential=credential, said=said[:LONGEST_FAULT], **_ended("")
    )


def fail(row: PendingLogin, fault: str) -> None:
    """End a sign-in without an account."""
    open_ones = (PendingLogin.Status.WAITING, PendingLogin.Status.WORKING)
    PendingLogin.objects.filter(pk=row.pk, status__in=open_ones).update(
        status=PendingLogin.Status.FAILED, **_ended(fault)
    )


def fresh(row: PendingLogin) -> PendingLogin:
    """Read a row again."""
    found = PendingLogin.objects.filter(pk=row.pk).select_related("credential").first()
    return _settled(found) or row


def awaited(row: PendingLogin, seconds: float = WAIT) -> PendingLogin:
    """Return a row once whoever claimed it has ended it, or as it is after so many seconds; blocking."""
    deadline = clock.monotonic() + seconds
    row = fresh(row)
    while row.status == PendingLogin.Status.WORKING and clock.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
        row = fresh(row)
    return row


def prune() -> int:
    """Throw away what is old, and what is more than is kept; return how many rows went."""
    gone, _ = PendingLogin.objects.filter(begun_at__lt=clock.now() - KEPT).delete()
    oldest = PendingLogin.objects.order_by("-begun_at").values_list("pk", flat=True)[MOST : MOST * 2]
    more, _ = PendingLogin.objects.filter(pk__in=list(oldest)).delete()
    return gone + more


def _settled(row: PendingLogin | None) -> PendingLogin | None:
    """End a row whose time is over, or whose claimant is gone, before anybody looks at it."""
    if row is None or row.is_over:
        return row
    now = clock.now()
    if row.status == PendingLogin.Status.WAITING and row.ends_at <= now:
        _of(row, row.status).filter(ends_at__lte=now).update(status=PendingLogin.Status.FAILED, **_ended(EXPIRED))
    elif row.claimed_at is not None and row.claimed_at <= now - INTERRUPTED:
        _of(row, row.status).filter(claimed_at=row.claimed_at).update(
            status=PendingLogin.Status.FAILED, **_ended(WAS_INTERRUPTED)
        )
    else:
        return row
    return PendingLogin.objects.filter(pk=row.pk).select_related("credential").first()


def _ended(fault: str) -> dict[str, Any]:
    return {"ended_at": clock.now(), "fault": fault[:LONGEST_FAULT], "secret": ""}


def _of(row: PendingLogin, status: str) -> "models.QuerySet[PendingLogin]":
    return PendingLogin.objects.filter(pk=row.pk, status=status)


def _waiting(row: PendingLogin, **more: datetime) -> "models.QuerySet[PendingLogin]":
    return PendingLogin.objects.filter(pk=row.pk, status=PendingLogin.Status.WAITING, **more)


EXPIRED = "The time for this sign-in is over. Begin again."
WAS_INTERRUPTED = "This sign-in was interrupted while it was being finished. Begin again."
