"""Through which listener a request came in, what it offers, and the key of their own that its callers may bring.

A listener changes what is offered, never who may call; the one exception is the listener whose callers bring a
provider's key instead of ours. That key goes to this provider's own address, and nowhere else.
"""

from uuid import UUID

from django.http import HttpRequest

from accounts import keys, scopes
from accounts.keys import KeyHolder
from proxx.gateway.errors import Forbidden, NotFound, Unauthorized, Unavailable
from proxx.kit import sealing
from proxx.kit.sealing import Secret
from proxx.protocols.profile.options import Options
from proxx.upstream import auth
from routing import listeners, reload
from routing.snapshot import CredentialView, ListenerView, ModelEntry, Snapshot
from routing.snapshot.views import OWN_KEY

# Anthropic's clients may send both: the key proper counts before the bearer.
CARRIERS = ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY", "HTTP_API_KEY")
LONGEST = 4096
WITH_OUR_ACCOUNTS = ("openai", "anthropic")  # first segments below which everything is passed on as it is
OURS = "pxx_"
_MAY = scopes.expanded({scopes.USE})


def listener(request: HttpRequest, snapshot: Snapshot) -> ListenerView | None:
    """Return the listener that this request came through; most have none."""
    if not snapshot.hosts and not snapshot.ports:
        return None
    server = request.scope.get("server")  # type: ignore[attr-defined]
    return listeners.found(snapshot, host=request.META.get("HTTP_HOST", ""), port=server[1] if server else None)


def options(request: HttpRequest, snapshot: Snapshot, holder: KeyHolder) -> Options | None:
    """Return the options of the profile that applies to this request, if one does."""
    tenant = snapshot.tenants.get(holder.tenant_id)
    if tenant is None or not (snapshot.profiles or tenant.fast):
        return None
    found = listener(request, snapshot)
    return listeners.options(snapshot, listener=found, key_profile=holder.profile_id, tenant=tenant)


def models(request: HttpRequest) -> tuple[ModelEntry, ...]:
    """Return the models that are offered to this request."""
    snapshot = reload.current()
    holder = request.auth  # type: ignore[attr-defined]
    found = listener(request, snapshot)
    who = snapshot.restricted(holder.tenant_id, holder.key_id, holder.lists)
    return listeners.offered(snapshot, listener=found, chosen=options(request, snapshot, holder), who=who)


def own_key_holder(request: HttpRequest) -> KeyHolder | None:
    """Return who calls with a provider's key of their own; nothing where a proxx key is asked for.

    Raises `Unauthorized` without a key, or with one of ours, which must not leave the house; `Unavailable` and
    `Forbidden` where the operator's row leads nowhere.
    """
    snapshot = reload.current()
    found = listener(request, snapshot)
    if found is None or not found.own_key_provider:
        return None
    if request.path_info.split("/", 2)[1] in WITH_OUR_ACCOUNTS:
        raise NotFound("This path is not served where callers bring their own keys.", code="unsupported_endpoint")
    provider = snapshot.providers.get(found.own_key_provider)
    if provider is None or not provider.enabled or not provider.base_url:
        raise Unavailable("The provider of this address is switched off.", code="provider_unavailable")
    tenant = snapshot.tenants.get(found.own_key_tenant) if found.own_key_tenant else None
    if tenant is None or not tenant.is_active:
        raise Forbidden("This tenant is not active.", code="tenant_inactive")
    key = _presented(request.META)
    if not key or len(key) > LONGEST or not auth.travels(key) or key.startswith(OURS) or keys.looks_like_key(key):
        raise Unauthorized(f"Send your own key for {provider.label}; this address takes no proxx key.")
    mark = sealing.digest(f"{found.own_key_provider}\0{key}")
    return KeyHolder(None, tenant.id, tenant.slug, "client's own key", _MAY, None, "own", None, mark)


def own_key(request: HttpRequest, snapshot: Snapshot, call_id: UUID) -> CredentialView:
    """Return the caller's own key as the credential of one call, whose id keeps its health facts apart."""
    found = listener(request, snapshot)
    if found is None or not found.own_key_provider:
        raise Unauthorized
    secret = Secret(_presented(request.META))
    return CredentialView(call_id, found.own_key_provider, "client's own key", OWN_KEY, secret, "", 0, 1, "")


def _presented(headers: dict[str, str]) -> str:
    for name in CARRIERS:
        if key := headers.get(name, "").strip():
            return key
    scheme, _, token = headers.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
