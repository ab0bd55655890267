"""The console's pages for keys: issue, look, rotate, revoke.

A token exists in one answer only, the one to the click that made it: no redirect, no session, no message carries it.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import granting, keys
from accounts.admin.base import CarefulAdmin, ago, low
from accounts.admin.key_forms import OVERLAPS, SCOPES, IssueForm, RotateForm, ScopesForm
from accounts.admin.limits import KeyLimits, WithLimits
from accounts.admin.scope import OwnTenants
from accounts.key_state import in_state
from accounts.models import ApiKey
from accounts.restricted import PAIRS
from accounts.rights import Right
from proxx.kit import clock

MAY_USE = "Empty: whatever its tenant may use. What the tenant may not use, no key of it may."
SHOWN_ONCE = "The next page shows the key, once. Have the place ready where you will keep it."
ASKS: tuple[str, Any] = ("What it may ask for", {"fields": SCOPES})
USES: tuple[str, Any] = ("What it may use", {"fields": (*PAIRS, "networks"), "description": MAY_USE})
KEEPS: tuple[str, Any] = ("What is kept", {"fields": ("bodies", "bodies_percent")})
STATE_COLOURS = {"active": "success", "expired": "warning", "revoked": "danger"}


class StateFilter(admin.SimpleListFilter):
    """Active, expired or revoked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the three states."""
        return [(state, state.capitalize()) for state in STATE_COLOURS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        """Keep the keys in the chosen state."""
        state = self.value()
        return queryset.filter(in_state(state)) if state in STATE_COLOURS else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(WithLimits, CarefulAdmin):
    """Keys are issued, renamed, rotated and revoked; they are never deleted, so that records keep their names."""

    tenant_path = "tenant"
    form = IssueForm
    limits_inline = KeyLimits
    add_label = "Issue key"
    unchosen = {"profile": "The tenant's"}
    list_display = ("named", "tenant", "state", "used", "ends", "created")
    list_filter = (StateFilter, ("tenant", OwnTenants))
    list_select_related = ("tenant",)
    search_fields = ("label", "prefix", "last4", "tenant__slug", "tenant__name")
    search_help_text = "Search by label, tenant, or the first or last characters of a key"
    ordering = ("-created_at",)
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")
    saved_along = dict.fromkeys(SCOPES, ("scopes",))
    conditional_fields = {
        "expires_at": "lifetime == 'date'",
        "families": "calls == 'some'",
        "bodies_percent": "bodies == 'sampled'",
    }

    @display(description="key", header=True, ordering="label")
    def named(self, key: ApiKey) -> list[str]:
        """Show the label above what may be shown of the token."""
        return [key.label, hint(key)]

    @display(description="token")
    def token_hint(self, key: ApiKey) -> str:
        """Show the token's first and last characters."""
        return hint(key)

    @display(description="state", label=STATE_COLOURS)
    def state(self, key: ApiKey) -> str:
        """Show active, expired or revoked."""
        return key.state(clock.now())

    @display(description="last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        """Show how long ago the key was used."""
        return ago(key.last_used_at)

    @display(description="ends", ordering="expires_at")
    def ends(self, key: ApiKey) -> str:
        """Show when the key ends, by itself or by revocation."""
        return ago(key.revoked_at or key.expires_at)

    @display(description="created", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        """Show how long ago the key was issued."""
        return ago(key.created_at)

    @display(description="expires")
    def expiry(self, key: ApiKey) -> str:
        """Show when the key ends by itself."""
        return date_format(key.expires_at, "DATETIME_FORMAT") if key.expires_at else "never"

    @display(description="may")
    def allowed(self, key: ApiKey) -> str:
        """Show the key's scopes."""
        return ", ".join(key.scopes)

    @display(description="replaced by")
    def replaced_by(self, key: ApiKey) -> str:
        """Show the key that rotation put in this one's place."""
        return ", ".join(str(successor) for successor in key.successors.all()) or "-"

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Show a short form for a new key, and all that is known of an old one."""
        # A profile is the house's: who may not look at them cannot choose one.
        profile = ("profile",) if self.who(request).may(Right.PROFILES_READ) else ()
        if obj is None:
            new = ("tenant", "label", "lifetime", "expires_at", *profile)
            return [(None, {"fields": new, "description": SHOWN_ONCE}), ASKS, USES, KEEPS]
        asks = ASKS if self.has_write_permission(request, obj) else ("What it may ask for", {"fields": ("allowed",)})
        life = (("created_at", "created_by"), ("last_used_at", "last_used_from"), "expiry")
        sections: list[Any] = [
            (None, {"fields": ("label", *profile)}),
            asks,
            USES,
            KEEPS,
            ("This key", {"fields": (("state", "token_hint"), "tenant")}),
            ("Its life", {"fields": (*life, "revoked_at") if obj.revoked_at else life}),
        ]
        rotated = obj.replaces_id is not None or obj.successors.exists()
        return [*sections, ("Rotation", {"fields": (("replaces", "replaced_by"),)})] if rotated else sections

    def fixed_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Fix who has an issued key and what happened to it; its end moves by rotation and revocation alone."""
        if obj is None:
            return ()
        fixed = ("state", "token_hint", "tenant", "replaces", "replaced_by", "created_by")
        return (*fixed, "created_at", "last_used_at", "last_used_from", "expiry", "revoked_at")

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Use the issuing form for new keys only."""
        kind = IssueForm if obj is None else ScopesForm
        locked = obj is not None and not self.has_write_permission(request, obj)
        kwargs["form"] = type(kind.__name__, (kind,), {"by": self.who(request), "locked": locked})
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            for name in ("tenant", "profile"):
                if name in form.base_fields:
                    _without_side_doors(form.base_fields[name].widget)
        return form

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in words what it means to choose nothing."""
        kwargs["choices"] = [("", "As its tenant"), *db_field.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the boxes for a few lines low."""
        return low(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Refuse: a key is revoked, its row stays."""
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Offer rotation and revocation for active keys only."""
        key = self.get_object(request, str(object_id))  # None for what is no id
        active = key is not None and key.state(clock.now()) == "active" and self.has_write_permission(request, key)
        return super().get_actions_detail(request, object_id) if active else []

    # Issuing

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Mint the token of a new key on the way to the database; the answer shows it."""
        if isinstance(form, ScopesForm) and not form.locked:
            obj.scopes = form.scopes()
        if not change:
            obj.created_by_id = request.user.pk
            request.issued_token = keys.mint(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the token, instead of the list."""
        return self._show_once(request, obj, request.issued_token)  # type: ignore[attr-defined]

    def _show_once(self, request: HttpRequest, key: ApiKey, token: str, old: ApiKey | None = None) -> HttpResponse:
        base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        context = {
            "key": key,
            "original": key,
            "token": token,
            "old": old,
            "old_end": old and old_end(old),
            "base": base,
        }
        page = self._page_of_key(key)
        return self._render(request, "key_issued", "Key issued", **context, page=page, list_page=self._list_page())

    # Rotating and revoking

    @action(description="Rotate", url_path="rotate", icon="autorenew", permissions=["write"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the old key may go on, then issue its successor and show that."""
        key = self._found(request, object_id)
        form = RotateForm(request.POST if request.method == "POST" else None)
        if granting.lacking(self.who(request), key.scopes, key.tenant_id):
            messages.error(request, "This key may do more than you: its successor is not yours to see.")
            return redirect(self._page_of_key(key))
        if request.method == "POST" and form.is_valid():
            try:
                successor, token = keys.rotate(key, overlap=form.chosen(), created_by=request.user)  # type: ignore[arg-type]
            except keys.KeyNotActive as fault:
                messages.error(request, str(fault))
                return redirect(self._page_of_key(key))
            return self._show_once(request, successor, token, old=key)
        return self._render(
            request, "key_rotate", f"Rotate “{key.label}”", key=key, original=key, form=form, overlaps=OVERLAPS
        )

    @action(description="Revoke", url_path="revoke", icon="block", permissions=["write"], variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask once more, then end the key."""
        key = self._found(request, object_id)
        if request.method == "POST":
            self._revoke(request, [key])
            return redirect(self._page_of_key(key))
        return self._confirm_revocation(request, [key], back=self._page_of_key(key))

    @admin.action(description="Revoke selected keys", permissions=["write"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask once more, then end all chosen keys that are still active."""
        chosen = list(queryset.filter(in_state("active")).select_related("tenant"))
        if not chosen:
            messages.warning(request, "None of these keys is active.")
            return None
        if "confirmed" in request.POST:
            self._revoke(request, chosen)
            return None
        return self._confirm_revocation(request, chosen, back=self._list_page())

    def _revoke(self, request: HttpRequest, chosen: list[ApiKey]) -> None:
        for key in chosen:
            keys.revoke(key)
        what = f"“{chosen[0].label}” is" if len(chosen) == 1 else f"{len(chosen)} keys are"
        messages.success(request, f"{what} revoked; every server refuses it within seconds.")

    def _confirm_revocation(self, request: HttpRequest, chosen: list[ApiKey], *, back: str) -> HttpResponse:
        title = f"Revoke “{chosen[0].label}”?" if len(chosen) == 1 else f"Revoke {len(chosen)} keys?"
        original = chosen[0] if len(chosen) == 1 else None
        return self._render(
            request, "key_revoke", title, original=original, chosen=chosen, back=back, selected="action" in request.POST
        )

    def _found(self, request: HttpRequest, object_id: str) -> ApiKey:
        key = self.get_object(request, object_id)
        if key is None:
            raise Http404
        if not self.has_write_permission(request, key):
            raise PermissionDenied
        return key  # type: ignore[no-any-return]

    def _page_of_key(self, key: ApiKey) -> str:
        return reverse("admin:accounts_apikey_change", args=(key.pk,))

    def _list_page(self) -> str:
        return reverse("admin:accounts_apikey_changelist")

    def _render(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/accounts/{template}.html", {**shared, **context})


def _without_side_doors(widget: Any) -> None:
    # The menu beside the choice (add, change, view another tenant) leads away from what is being done here.
    widget.can_add_related = widget.can_change_related = False
    widget.can_view_related = widget.can_delete_related = False


def hint(key: ApiKey) -> str:
    """Return what may be shown of a token: its first and last characters."""
    return f"{key.prefix}…{key.last4}"


def old_end(key: ApiKey) -> str:
    """Say until when a rotated key works."""
    if key.revoked_at or key.expires_at is None:
        return "has ended"
    return f"works until {date_format(key.expires_at, 'DATETIME_FORMAT')}"
