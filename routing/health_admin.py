"""What the pages of credentials and providers show of health, and the buttons that clear it.

The facts are those of the process that serves the page; with Redis all processes know the same. Clearing reaches them
all, too.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timesince import timeuntil

from accounts import audit
from accounts.models import Credential
from proxx.kit import clock
from routing import health
from routing.health import Key, Rest, Streak

ALL = "*"  # in a button's value: every model and the whole of it
COLOURS = {
    "": "",
    "well": "success",
    "last": "warning",
    "failed": "warning",
    "rests": "danger",
    "open": "danger",
    "half": "warning",
}
WHY = {
    "auth": "its key is refused",
    "permission": "it is not allowed",
    "not_renewed": "its sign-in could not be renewed",
    "quota_spent": "its plan or balance is used up",
    "rate_limited": "rate limit",
    "too_many_at_once": "too many calls at once",
    "not_found": "has no such model",
    "overloaded": "overloaded",
    "upstream_error": "errors of the provider",
    "connect_failed": "cannot be reached",
    "empty": "empty answers",
    "malformed": "answers that cannot be read",
    "truncated": "answers that break off",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that rests: whose it is, for which model, how it stands, why, until when, after how many failures."""

    who: str
    model: str
    colour: str
    state: str
    why: str
    until: str
    failures: int
    value: str  # what its button sends


def name_of(credential: Credential) -> str:
    """Return by what name people can tell a credential from its neighbours."""
    return credential.label or f"{credential.masked} {credential.account_id[:12]}".strip()


def lines(names: Mapping[Key, str]) -> list[Line]:
    """Return what rests under these keys, whole credentials first."""
    now = clock.monotonic()
    found = []
    for key, name in names.items():
        own = health.rests.get(key, {}).copy()
        for model in sorted(own):
            if own[model].is_open or own[model].until > now:
                streak = health.streaks.get(key, {}).get(model) or Streak()
                found.append(_line(key, name, model, own[model], streak, now))
    return found


def state_of(key: Key) -> tuple[str, str]:
    """Return how a credential stands in two or three words, and the word that its colour goes by."""
    now = clock.monotonic()
    own = health.rests.get(key, {}).copy()
    whole = own.pop("", None)
    if whole is not None and (whole.is_open or whole.until > now):
        return _word(whole, now)
    blocked = sum(1 for rest in own.values() if rest.is_open or rest.until > now)
    if blocked:
        return "last", f"{blocked} model{'s' if blocked > 1 else ''} blocked"
    failed = last_failure(key)
    return ("failed", f"last failed: {failed.replace('_', ' ')}") if failed else ("well", "well")


def last_failure(key: Key) -> str:
    """Return the kind of failure that a credential's last call ended with, if none has succeeded since."""
    own = health.streaks.get(key, {}).copy()
    return next((own[model].kind for model in sorted(own) if own[model].failures), "")


def failing_ids() -> list[UUID]:
    """Return the credentials whose last call failed."""
    return [key for key in list(health.streaks) if isinstance(key, UUID) and last_failure(key)]


def sites_of(provider_id: str) -> list[str]:
    """Return the keys of a provider's own: its addresses, and itself where it needs no credential."""
    sites = [key for key in list(health.rests) if isinstance(key, str) and key.startswith(f"{provider_id}@")]
    return [provider_id, *sorted(sites)]


def keys_of(provider_id: str, label: str = "") -> dict[Key, str]:
    """Return the keys of a provider's addresses and credentials, and by what names people know them."""
    held = Credential.objects.filter(provider_id=provider_id).order_by("priority", "label")
    whole: dict[Key, str] = {key: key.partition("@")[2] or label for key in sites_of(provider_id)}
    return {**whole, **{credential.pk: name_of(credential) for credential in held}}


def resting_ids() -> list[UUID]:
    """Return the credentials that rest as a whole just now, or for a model."""
    now = clock.monotonic()
    return [
        key
        for key, own in list(health.rests.items())
        if isinstance(key, UUID) and any(rest.is_open or rest.until > now for rest in own.copy().values())
    ]


class HealthPanel:
    """For an admin page: a panel above the form that shows what rests, each with its button."""

    change_form_outer_before_template = "admin/routing/health.html"

    @abstractmethod
    def health_names(self, obj: Any) -> dict[Key, str]:
        """Return the keys that belong to a row, with the names that people know them by."""

    def get_urls(self) -> list[Any]:
        """Add where the panel's buttons lead."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_clear"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self._clear)  # type: ignore[attr-defined]
        return [path("<path:object_id>/clear/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Bring what rests along."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is not None:
            may = self.has_change_permission(request, row)  # type: ignore[attr-defined]
            names = self.health_names(row)
            failed = {name: WHY.get(kind, kind) for key, name in names.items() if (kind := last_failure(key))}
            shown = {"lines": lines(names), "failed": failed, "clear": self._address(row, "clear"), "may": may}
            extra_context = {**(extra_context or {}), "health": shown}
        return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def _clear(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None or not self.has_change_permission(request, row):  # type: ignore[attr-defined]
            raise PermissionDenied
        names = self.health_names(row)
        wanted, _, model = request.POST.get("clear", "").partition(" ")
        if wanted == ALL:
            clear_all(names)
        else:
            for key in names:
                if str(key) == wanted:
                    health.clear(key, model)
        audit.note("cleared rests", row, {"of": wanted} if wanted else None)
        messages.success(request, "Cleared. The next call may go there.")
        return HttpResponseRedirect(self._address(row, "change"))

    def _address(self, row: Any, page: str) -> str:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=(row.pk,))


def clear_all(keys: Iterable[Key]) -> None:
    """Drop all that is known against these."""
    for key in keys:
        health.clear(key)


def _line(key: Key, name: str, model: str, rest: Rest, streak: Streak, now: float) -> Line:
    word, state = _word(rest, now)
    left = max(0.0, rest.until - now)
    return Line(
        who=name,
        model=model,
        colour=COLOURS[word],
        state=state,
        why=WHY.get(rest.kind, rest.kind),
        until=f"{date_format(clock.now() + timedelta(seconds=left), 'H:i:s')} UTC" if left else "the next call",
        failures=streak.failures,
        value=f"{key} {model}",
    )


def _word(rest: Rest, now: float) -> tuple[str, str]:
    left = rest.until - now
    if rest.is_open:
        return ("open", f"circuit open, {_length(left)}") if left > 0 else ("half", "circuit half open")
    if rest.is_soft:
        return "last", f"last in line, {_length(left)}"
    return "rests", f"rests, {_length(left)}"


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    now = clock.now()
    return timeuntil(now + timedelta(seconds=seconds), now, depth=1)
