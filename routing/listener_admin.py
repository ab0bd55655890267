"""The console's pages for listeners: host names and ports with a profile of their own."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import CarefulAdmin
from routing import ports, reload
from routing.models import Listener

STATE_COLOURS = {"open": "success", "after a restart": "warning", "off": "danger", "no provider": "danger"}
ABOUT = (
    "A listener offers the same gateway under another host name or port, with a profile of its own. It changes what is "
    "offered there, never who may call."
)
OWN_KEYS = (
    "For a pure converter: callers bring their own key of one provider. It is sent to that provider's address and "
    "nowhere else; a caller without a key gets 401, and proxx keys are refused here. Whoever can reach this address "
    "can use it, at their own expense."
)

if TYPE_CHECKING:
    _ListenerForm = forms.ModelForm[Listener]
else:
    _ListenerForm = forms.ModelForm


class ListenerForm(_ListenerForm):
    """An address, a profile, and whose keys count."""

    own_key_provider = forms.ChoiceField(
        label="Clients' own keys for",
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=Listener._meta.get_field("own_key_provider").help_text,
    )

    class Meta:
        model = Listener
        exclude: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "own_key_provider" in self.fields:
            labels = provider_labels(keep=self.instance.own_key_provider)
            field = self.fields["own_key_provider"]
            field.choices = [("", "Nobody: proxx keys only"), *labels.items()]  # type: ignore[attr-defined]


@admin.register(Listener)
class ListenerAdmin(CarefulAdmin):
    """Host names work at once, ports from the next start on; the list says which are open."""

    form = ListenerForm
    about = ABOUT
    unchosen = {"profile": "No profile of its own"}
    list_display = ("name", "address", "state", "profile_link", "keys")
    list_select_related = ("profile",)
    search_fields = ("name", "host", "profile__name")
    search_help_text = "Search by name, host or profile"
    conditional_fields = {"own_key_tenant": "own_key_provider != ''"}
    fieldsets = (
        (None, {"fields": ("name", ("host", "port"), "profile", "enabled"), "description": ABOUT}),
        ("Clients' own keys", {"fields": ("own_key_provider", "own_key_tenant"), "description": OWN_KEYS}),
    )

    @display(description="address", ordering="host")
    def address(self, row: Listener) -> str:
        """Show the host name or the port."""
        return row.host or f"port {row.port}"

    @display(description="state", label=STATE_COLOURS)
    def state(self, row: Listener) -> str:
        """Show whether calls can come through here."""
        if not row.enabled:
            return "off"
        if row.own_key_provider and row.own_key_provider not in provider_labels():
            return "no provider"
        return "after a restart" if row.port is not None and ports.is_open(row.port) is False else "open"

    @display(description="profile", ordering="profile__name")
    def profile_link(self, row: Listener) -> str:
        """Show the profile, as a way to it."""
        if row.profile is None:
            return "–"
        page = reverse("admin:accounts_profile_change", args=[row.profile_id])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, row.profile)

    @display(description="callers bring", ordering="own_key_provider")
    def keys(self, row: Listener) -> str:
        """Show whose keys count."""
        if not row.own_key_provider:
            return "a proxx key"
        return f"their own key for {provider_labels().get(row.own_key_provider, row.own_key_provider)}"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Say which port proxx has anyway."""
        form = super().get_form(request, obj, change, **kwargs)
        if "port" in form.base_fields:
            field = form.base_fields["port"]
            field.help_text = f"{Listener._meta.get_field('port').help_text} proxx's own is {settings.PROXY_PORT}."
        return form


def provider_labels(*, keep: str = "") -> dict[str, str]:
    """Return the providers that a caller's own key could be sent to, by id; `keep` stays even if it is none any
    more."""
    found = {
        provider.id: provider.label
        for provider in reload.current().providers.values()
        if provider.enabled and provider.base_url and provider.needs_key
    }
    ordered = dict(sorted(found.items(), key=lambda pair: pair[1].lower()))
    return ordered if not keep or keep in ordered else {keep: keep, **ordered}
