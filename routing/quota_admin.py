"""What the pages of credentials show of quota: bars in the list, and a panel with buttons above the form.

The rows are those of the table, which all processes keep up to date; asking and forgetting reach them all.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts import audit
from accounts.admin.base import ago
from accounts.models import Credential
from accounts.sanitized import masked
from oauth import providers
from oauth.plan_usage import REVIEW, Window
from routing import quota, quota_refresh, quota_share, quota_store, reload
from routing.models import QuotaStanding
from routing.quota import Standing

NAMES = {"five_hour": "5 h", "daily": "day", "weekly": "week", "monthly": "month"}
REVIEWS = {f"{REVIEW}{name}": f"review, {short}" for name, short in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Bar:
    """One window for the eye: its name, percent used, how full (ok, warn, spent), and when it begins anew."""

    name: str
    used: int
    level: str
    ends: str


def standing_of(credential: Credential) -> Standing | None:
    """Return what is known of a credential's quota."""
    row: QuotaStanding | None = getattr(credential, "quota", None)
    return quota_store.standing_of(row) if row is not None else None


def bars(standing: Standing) -> list[Bar]:
    """Return the windows as they stand now, plans before limits by the minute."""
    return [Bar(name_of(one), round(one.used), level_of(one), _ends(one)) for one in in_order(standing)]


def in_order(standing: Standing) -> list[Window]:
    """Return the windows as they stand now: plans, reviews of code, limits by the minute, each the shortest first."""
    return sorted(quota.windows_now(standing.usage), key=lambda one: (one.seconds is None, not one.is_ours,
                                                                      one.seconds or 0.0))  # fmt: skip


def name_of(window: Window) -> str:
    """Return what people call a window."""
    return NAMES.get(window.name) or REVIEWS.get(window.name, window.name)


def level_of(window: Window) -> str:
    """Return how full a window is, in the words of the style sheet."""
    if quota.is_spent(window):
        return "spent"
    return "warn" if quota.is_warning(window) else "ok"


def in_list(credential: Credential) -> SafeString | str:
    """Return the bars for a line of the list; limits by the minute are left to the page."""
    standing = standing_of(credential)
    shown = bars(standing)[:2] if standing is not None and standing.usage.windows else []
    if not shown or standing is None or all(one.seconds is None for one in standing.usage.windows):
        return "–"
    rows = format_html_join(
        "",
        '<span class="px-quota px-quota-{}" title="{}"><span>{}</span>'
        '<progress max="100" value="{}"></progress><span>{}%</span></span>',
        ((one.level, one.ends, one.name, one.used, one.used) for one in shown),
    )
    return format_html('<span class="px-quotas">{}</span>', rows)


class QuotaPanel:
    """For the page of credentials: what is left above the form, and the buttons that ask and forget."""

    list_select_related = ("quota",)
    change_form_outer_before_template = "admin/routing/credential_above.html"

    def get_urls(self) -> list[Any]:
        """Add where the panel's buttons lead."""
        view = self.admin_site.admin_view(self._press)  # type: ignore[attr-defined]
        return [path("<path:object_id>/quota/", view, name="accounts_credential_quota"), *super().get_urls()]  # type: ignore[misc]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Bring what is left along."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is not None:
            may = self.has_change_permission(request, row)  # type: ignore[attr-defined]
            extra_context = {**(extra_context or {}), "quota": panel(row) | {"may": may}, "sign_in_again": again(row)}
        return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    @display(description="quota used")
    def left(self, credential: Credential) -> str:
        """Show how much of its windows is used, and when they end."""
        return in_list(credential)

    @admin.action(description="Ask for quota now", permissions=["change"])
    def ask_quota(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """Ask the chosen accounts what is left, as far as their providers say it."""
        chosen = [credential.pk for credential in queryset]
        tell(request, quota_refresh.refresh(chosen, forced=True))

    def _press(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None or not self.has_change_permission(request, row):  # type: ignore[attr-defined]
            raise PermissionDenied
        if "forget" in request.POST:
            quota_share.forget([row.pk])
            audit.note("forgot quota", row)
            messages.success(request, "Forgotten. The next call may go there.")
        else:
            tell(request, quota_refresh.refresh([row.pk], forced=True))
        return HttpResponseRedirect(reverse("admin:accounts_credential_change", args=(row.pk,)))


def panel(credential: Credential) -> dict[str, Any]:
    """Return what the panel of one credential shows."""
    standing, row = standing_of(credential), getattr(credential, "quota", None)
    until = quota.rests_until(standing.usage, standing.heard_at) if standing is not None else None
    return {
        "bars": bars(standing) if standing is not None else [],
        "plan": credential.plan_type,
        "heard": f"{ago(row.heard_at)}, {row.get_source_display()}" if row is not None and row.heard_at else "",
        "until": _moment(until) if until is not None else "",
        "has_credits": standing is not None and standing.usage.has_credits,
        "fault": row.fault if row is not None else "",
        "tried": ago(row.tried_at) if row is not None and row.tried_at else "",
        "can_ask": can_ask(credential),
        "press": reverse("admin:accounts_credential_quota", args=(credential.pk,)),
    }


def again(credential: Credential) -> str:
    """Return the page where somebody signs in to an account again, if there is one."""
    entry = providers.of_provider(credential.provider_id)
    return f"{reverse('connect_way', args=(entry.name,))}?account={credential.pk}" if entry is not None else ""


def can_ask(credential: Credential) -> bool:
    """Tell whether its provider says what is left when it is asked."""
    picture = reload.current()
    held = (view for views in picture.credentials.values() for view in views if view.id == credential.pk)
    view = next(held, None)
    return view is not None and bool(quota_refresh.style_of(picture.providers[view.provider_id], view))


def tell(request: HttpRequest, answers: list[quota_refresh.Answer], *, hides: bool = False) -> None:
    """Tell the operator what asking brought; `hides` masks names."""
    good = sum(1 for one in answers if one.usage is not None)
    if good:
        messages.success(request, f"{good} account{'' if good == 1 else 's'} said what is left.")
    for one in answers:
        if one.fault:
            name = one.credential.label or one.credential.account_id
            messages.warning(request, f"{masked(name) if hides else name}: {one.fault}")
    if not answers:
        messages.info(request, "None of them can be asked; what answers say in their headers is shown by itself.")


def _ends(window: Window) -> str:
    return f"until {_moment(window.resets_at)}" if window.resets_at is not None else "not begun"


def _moment(unix: float) -> str:
    moment = datetime.fromtimestamp(unix, UTC)
    return f"{date_format(moment, 'j M H:i')} UTC, {ago(moment)}"
