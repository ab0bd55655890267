"""The console's page for who may sign in from outside; only owners see and change it.

An entry brings people in, and roles: so adding and removing asks again who is there, and none is edited.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import CarefulAdmin, ago
from accounts.models import AdmissionEntry
from accounts.signin.step_up import NeedsStepUp

if TYPE_CHECKING:
    _EntryForm = forms.ModelForm[AdmissionEntry]
else:
    _EntryForm = forms.ModelForm

ABOUT = (
    "Who may sign in with GitHub or an OpenID Connect issuer, beside the lists in the environment. An entry that goes "
    "takes nobody's role: see Members and Operators."
)


class EntryForm(_EntryForm):
    """One entry, for one of the providers that are set up."""

    provider = forms.ChoiceField(label="Signs in with", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = AdmissionEntry
        fields = ("provider", "entry")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            self.fields["provider"].choices = list(settings.PROXY_SIGN_IN_WAYS.items())  # type: ignore[attr-defined]


@admin.register(AdmissionEntry)
class AdmissionEntryAdmin(NeedsStepUp, CarefulAdmin):
    """Entries are added and removed."""

    about = ABOUT
    form = EntryForm
    add_label = "Add entry"
    list_display = ("entry", "way", "added")
    list_filter = ("provider",)
    search_fields = ("entry",)
    search_help_text = "Search by name, group or role"

    @display(description="signs in with", ordering="provider")
    def way(self, row: AdmissionEntry) -> str:
        """Show the provider's name."""
        return str(settings.PROXY_SIGN_IN_WAYS.get(row.provider, f"{row.provider} (not set up)"))

    @display(description="added", ordering="created_at")
    def added(self, row: AdmissionEntry) -> str:
        """Show how long ago it was added."""
        return ago(row.created_at)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an entry is removed, and another one added."""
        return False
