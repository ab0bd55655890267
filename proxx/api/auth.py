"""Who calls, and whether the route is for them. One resolver and one policy for all carriers (security A4).

A `Policy` is what a route asks of its caller. It stands at the route itself, never beside a path (A5), and a route
without one refuses the start (app.py).
"""

from typing import Final

from django.http import HttpRequest

from accounts import keys
from accounts.keys import IdentityUnavailable, KeyHolder, TooManyGuesses
from proxx.api import carriers, entrance, refusals
from proxx.gateway.errors import Forbidden, OverLimit, Unauthorized, Unavailable
from proxx.kit import peer
from proxx.kit.configured import settings
from routing import reload


class Policy:
    """Asks for a key with one of these scopes; a key refused here is told which it lacks."""

    is_async = True  # ninja then awaits it

    def __init__(self, *wanted: str) -> None:
        self.wanted: Final = frozenset(wanted)

    async def __call__(self, request: HttpRequest) -> KeyHolder:
        """Return the holder of the key in this request; raise 401, 400 (two different keys), 403 (scope or address),
        429 (too many wrong keys) or 503 (store away)."""
        holder = entrance.own_key_holder(request) or await _holder(request)
        try:
            if self.wanted.isdisjoint(holder.scopes):
                raise lacking(*sorted(self.wanted))
            if holder.origins or holder.kind != "key":
                check_address(holder, request.META.get("REMOTE_ADDR", ""))
        except Forbidden as error:
            refusals.note(request, holder, error)
            raise
        return holder


class Everybody(Policy):
    """Asks nothing: the route says no more than that it is there."""

    async def __call__(self, request: HttpRequest) -> KeyHolder:
        """Return a holder that may do nothing."""
        return _NOBODY


_NOBODY: Final = KeyHolder(None, keys.open_holder().tenant_id, "", "", frozenset(), None, "open")
everybody: Final = Everybody()


def demand(request: HttpRequest, scope: str) -> None:
    """Raise 403 if the caller lacks a scope that only a look into the request could tell."""
    holder: KeyHolder = request.auth  # type: ignore[attr-defined]
    if scope not in holder.scopes:
        error = lacking(scope)
        refusals.note(request, holder, error)
        raise error


def lacking(*wanted: str) -> Forbidden:
    """Return the refusal of a key that has none of these scopes, which is counted."""
    refusals.count("missing_scope")
    return Forbidden(f"This key lacks the scope {' or '.join(wanted)}.", code="missing_scope")


async def _holder(request: HttpRequest) -> KeyHolder:
    token = carriers.presented(request.META)
    if token is None:
        if settings.PROXY_ALLOW_UNAUTHENTICATED:
            return keys.open_holder()
        refusals.count("no_key")
        raise Unauthorized
    try:
        holder = await keys.find(token, address=request.META.get("REMOTE_ADDR", ""))
    except TooManyGuesses as guessing:
        refusals.count("too_many_wrong_keys")
        raise OverLimit(
            "Too many wrong keys came from this address. Please retry later.",
            code="too_many_wrong_keys",
            retry_after=guessing.retry_after,
        ) from None
    except IdentityUnavailable as away:
        raise Unavailable(
            "Keys cannot be checked at the moment.", code="identity_unavailable", retry_after=away.retry_after
        ) from None
    if holder is None:
        refusals.count("expired_key" if keys.has_expired(token) else "unknown_key")
        raise Unauthorized
    return holder


def check_address(holder: KeyHolder, address: str) -> None:
    """Raise 403 unless the address lies in all lists of networks; who holds no key of ours is held to the tenant's."""
    origins = holder.origins
    if holder.kind != "key":
        tenant = reload.current().tenants.get(holder.tenant_id)
        origins = tenant.origins if tenant is not None else ()
    if not all(peer.within(address, allowed) for allowed in origins):
        refusals.count("address_not_allowed")
        raise Forbidden("This key may not be used from this address.", code="address_not_allowed")
