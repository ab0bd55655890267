"""The console's page for credentials. It lives here, not in accounts, because its form needs the provider registry.

A secret is write-only: the form takes one and shows four characters of the one it keeps. Rows that follow the
environment or a keys file show it read-only too: whatever was typed here would be overwritten by the next reload.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelect2Widget

from accounts.admin.base import CarefulAdmin, ago
from accounts.models import Credential
from accounts.signin.step_up import NeedsStepUp
from proxx.kit import clock
from routing import credential_rules, followed, health_admin, providers, quota_admin
from routing.health import Key
from routing.models import ProviderSetting

if TYPE_CHECKING:
    _CredentialForm = forms.ModelForm[Credential]
else:
    _CredentialForm = forms.ModelForm

FOLLOWS = "These follow the environment or the keys file: change them there, and they change here within seconds."
STATE_COLOURS = {"in use": "success", "off": "danger", "expired": "warning", "provider off": "warning"}


class CredentialForm(_CredentialForm):
    """A provider, a secret that can be replaced but not read, and in which order it is used.

    A stored credential stays with its provider: its secret must not travel to another one's address.
    """

    provider_id = forms.ChoiceField(label="Provider", widget=UnfoldAdminSelect2Widget())
    secret = forms.CharField(label="Secret", strip=True, required=False, max_length=credential_rules.LONGEST_SECRET)

    class Meta:
        model = Credential
        fields = ("provider_id", "label", "kind", "secret", "base_url", "priority", "weight", "at_once", "enabled",
                  "account_id")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("secret", None)
        # Declared fields are in every form, whatever its fieldsets say: what may not be changed must go.
        if self._stored:
            del self.fields["provider_id"]
        else:
            self._offer_providers()
        if self._stored and followed.follows(self.instance):
            del self.fields["secret"]
        else:
            self._hide_secret()

    def clean_secret(self) -> str:
        """Return the new secret, or the sealed old one if none was typed."""
        typed: str = self.cleaned_data["secret"]
        if not typed:
            return self.instance.secret if self._stored else ""
        if fault := credential_rules.secret_fault(typed):
            raise forms.ValidationError(fault)
        return typed

    def clean(self) -> dict[str, Any]:
        """Check what concerns several fields, if each of them is sound."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        provider_id = self.instance.provider_id if self._stored else cleaned.get("provider_id", "")
        if not self.errors and "base_url" in self.fields:
            cleaned["base_url"] = cleaned["base_url"].strip()
            kind = cleaned.get("kind") or self.instance.kind
            self._refuse("base_url", credential_rules.address_fault(provider_id, kind, cleaned["base_url"]))
        if not self.errors and "secret" in self.fields:
            if self._stored:
                self._check_address(cleaned["base_url"])
            else:
                self._check_new(cleaned)
        return cleaned

    @property
    def _stored(self) -> bool:
        return not self.instance._state.adding

    def _refuse(self, field: str, fault: str) -> None:
        if fault:
            self.add_error(field, fault)

    def _check_address(self, base: str) -> None:
        has_secret, is_typed = bool(self.instance.secret), "secret" in self.changed_data
        fault = credential_rules.moving_fault(self.initial["base_url"], base, has_secret=has_secret, is_typed=is_typed)
        self._refuse("secret", fault)

    def _check_new(self, cleaned: dict[str, Any]) -> None:
        provider_id, secret = cleaned["provider_id"], cleaned["secret"]
        account = credential_rules.account_of(provider_id, secret, cleaned["base_url"], cleaned["account_id"])
        cleaned["account_id"] = account
        self._refuse("secret", credential_rules.newcomer_fault(provider_id, secret, account))

    def _offer_providers(self) -> None:
        choices = sorted(credential_rules.provider_labels().items(), key=lambda item: item[1].lower())
        self.fields["provider_id"].choices = [("", "Choose a provider"), *choices]  # type: ignore[attr-defined]

    def _hide_secret(self) -> None:
        field = self.fields["secret"]
        masked = f"{self.instance.masked}, type to replace" if self._stored and self.instance.secret else ""
        field.widget = UnfoldAdminPasswordWidget(
            {"placeholder": masked, "autocomplete": "off", "spellcheck": "false", "data-1p-ignore": "true"}
        )
        field.help_text = (
            "Stored sealed, and never shown again. Leave it empty to keep the present one."
            if self._stored
            else "The API key from the provider's own console. Stored sealed, and never shown again."
        )


class ProviderFilter(admin.SimpleListFilter):
    """The providers that have a credential, by label."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the providers in use."""
        labels = credential_rules.provider_labels()
        used = Credential.objects.order_by("provider_id").values_list("provider_id", flat=True).distinct()
        return [(provider_id, labels.get(provider_id, provider_id)) for provider_id in used]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Credential]) -> QuerySet[Credential]:
        """Keep the credentials of the chosen provider."""
        return queryset.filter(provider_id=self.value()) if self.value() else queryset


@admin.register(Credential)
class CredentialAdmin(NeedsStepUp, quota_admin.QuotaPanel, health_admin.HealthPanel, CarefulAdmin):
    """What we send upstream: added, ordered, switched on and off."""

    form = CredentialForm
    list_display = ("named", "provider", "state", "health", "left", "kind_shown", "priority", "weight", "came_from",
                    "created")  # fmt: skip
    list_filter = (ProviderFilter, "enabled", "kind", "source")
    search_fields = ("label", "provider_id", "account_id", "last4")
    search_help_text = "Search by label, provider, account or last four characters"
    actions = ("enable", "disable", "clear_rests", "ask_quota")
    ordering = ("provider_id", "priority")
    saved_along = {"secret": ("last4",)}

    @display(description="credential", header=True, ordering="label")
    def named(self, credential: Credential) -> list[str]:
        """Show the label above the masked secret."""
        return [credential.label or "Without label", credential.masked if credential.secret else "no secret"]

    @display(description="provider", ordering="provider_id")
    def provider(self, credential: Any) -> str:
        """Show the provider's label: the operator's, the registry's, or else its id."""
        shipped = providers.load().get(credential.provider_id)
        return credential.provider_label or (shipped.label if shipped else credential.provider_id)

    @display(description="state", label=STATE_COLOURS, ordering="enabled")
    def state(self, credential: Any) -> str:
        """Show whether calls may use it, and if not, why."""
        if not credential.enabled:
            return "off"
        if credential.expires_at is not None and credential.expires_at <= clock.now():
            return "expired"
        return "provider off" if credential.provider_enabled is False else "in use"

    @display(description="health", label=health_admin.COLOURS)
    def health(self, credential: Credential) -> tuple[str, str]:
        """Show whether it rests after failures, and how long."""
        return health_admin.state_of(credential.pk)

    def health_names(self, obj: Credential) -> dict[Key, str]:
        """Return its key, and by what name people know it."""
        return {obj.pk: health_admin.name_of(obj)}

    @display(description="kind", ordering="kind")
    def kind_shown(self, credential: Credential) -> str:
        """Show how the secret was obtained."""
        return credential.get_kind_display()

    @display(description="from", ordering="source")
    def came_from(self, credential: Credential) -> str:
        """Show where the row came from."""
        return credential.get_source_display()

    @display(description="added", ordering="created_at")
    def created(self, credential: Credential) -> str:
        """Show how long ago it was added."""
        return ago(credential.created_at)

    @display(description="secret")
    def masked(self, credential: Credential) -> str:
        """Show dots and the last four characters."""
        return credential.masked

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        """Bring the provider's row along in the same query."""
        row = ProviderSetting.objects.filter(provider_id=OuterRef("provider_id"))
        credentials: QuerySet[Credential] = super().get_queryset(request)
        label, enabled = Subquery(row.values("label")[:1]), Subquery(row.values("enabled")[:1])
        return credentials.annotate(provider_label=label, provider_enabled=enabled)

    def get_fieldsets(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        """Ask for little; what most installations never touch stands last."""
        use = ("Use", {"fields": (("priority", "weight"), "at_once", "enabled")})
        if obj is not None and followed.follows(obj):
            kept = {"fields": ("provider", "masked", "came_from", "base_url", "account_id"), "description": FOLLOWS}
            return [(None, {"fields": ("label",)}), use, ("Kept elsewhere", kept)]
        sections: list[Any] = [
            (None, {"fields": ("provider_id" if obj is None else "provider", "label", "secret", "base_url")}),
            use,
            ("Special cases", {"fields": ("kind", "account_id"), "classes": ("collapse",)}),
        ]
        return (
            sections if obj is None else [*sections, ("Facts", {"fields": ("came_from", "created_at", "expires_at")})]
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Credential | None = None) -> tuple[str, ...]:
        """Fix what a file or the environment says, and to whom a stored secret belongs."""
        facts = ("provider", "masked", "came_from", "created_at", "expires_at")
        if obj is None:
            return facts
        return (*facts, "account_id", "kind", "base_url") if followed.follows(obj) else (*facts, "account_id", "kind")

    @admin.action(description="Switch on", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """Let calls use the chosen credentials."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch off", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """Keep calls from using the chosen credentials."""
        self._switch(request, queryset, on=False)

    @admin.action(description="Clear rests", permissions=["change"])
    def clear_rests(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """Let the next call go to the chosen credentials, whatever they rest for."""
        health_admin.clear_all(credential.pk for credential in queryset)
        messages.success(request, "Cleared. The next calls may go there.")

    @transaction.atomic
    def _switch(self, request: HttpRequest, queryset: QuerySet[Credential], *, on: bool) -> None:
        changed = list(queryset.exclude(enabled=on))
        for credential in changed:
            credential.enabled = on
            # One by one: a bulk update would pass by the signal that tells all servers.
            credential.save(update_fields=["enabled"])
        word = "on" if on else "off"
        messages.success(
            request, f"{len(changed)} switched {word}." if changed else f"All of them were {word} already."
        )
