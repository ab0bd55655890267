"""The state of keys as a condition for queries; the twin of `ApiKey.state`."""

from django.db.models import Q

from accounts.models import ApiKey
from proxx.kit import clock, sealing


def in_state(state: str) -> Q:
    """Return the condition under which a key has that state now: active, expired or revoked."""
    now = clock.now()
    if state == "revoked":
        return Q(revoked_at__isnull=False)
    unrevoked = Q(revoked_at__isnull=True)
    return unrevoked & (Q(expires_at__lte=now) if state == "expired" else Q(expires_at=None) | Q(expires_at__gt=now))


def under_former_peppers() -> int:
    """Return how many active keys were made under a pepper that is not the present one."""
    active = ApiKey.objects.filter(in_state("active"))
    return active.exclude(pepper_version=sealing.pepper_version()).count()
