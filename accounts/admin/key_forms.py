"""The forms behind the key pages: issue, and rotate."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from accounts.models import DEFAULT_TENANT_ID, FILES_SCOPE, ApiKey
from accounts.restricted import RESTRICTIONS
from proxx.kit import clock

ON_A_DAY = "date"
LIFETIMES = (
    ("", "Never"),
    ("7", "In 7 days"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (ON_A_DAY, "On a date of my choice"),
)
OVERLAPS = (
    ("0", "Ends at once", "The old key stops working now. For a key that has leaked."),
    ("3600", "Works for one more hour", ""),
    ("86400", "Works for one more day", "Time to put the new key in place, without a gap."),
    ("604800", "Works for one more week", ""),
)

if TYPE_CHECKING:
    _KeyForm = forms.ModelForm[ApiKey]
else:
    _KeyForm = forms.ModelForm


class ScopesForm(_KeyForm):
    """What a key may reach beyond models."""

    reaches_files = forms.BooleanField(
        label="Files and batches",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="May also reach what lies in our accounts below /openai/ and /anthropic/: files, batches, stored "
        "answers, of all tenants alike.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reaches_files" in self.fields:
            self.fields["reaches_files"].initial = FILES_SCOPE in self.instance.scopes

    def scopes(self) -> list[str]:
        """Return the key's scopes as the valid form wants them."""
        kept = [scope for scope in self.instance.scopes if scope != FILES_SCOPE]
        return [*kept, FILES_SCOPE] if self.cleaned_data.get("reaches_files") else kept


class IssueForm(ScopesForm):
    """Who gets the key, what it is for, and when it ends."""

    lifetime = forms.ChoiceField(
        label="Expires",
        choices=LIFETIMES,
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="A key that ends by itself limits the harm of one that leaks.",
    )

    class Meta:
        model = ApiKey
        fields = ("tenant", "label", "expires_at", "profile", *RESTRICTIONS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].initial = DEFAULT_TENANT_ID
        self.fields["expires_at"].label, self.fields["expires_at"].help_text = "Date", "In UTC."

    def clean(self) -> dict[str, Any]:
        """Turn the chosen lifetime into a moment that lies ahead."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        lifetime = cleaned.get("lifetime")
        if lifetime == ON_A_DAY:
            self._check_date(cleaned.get("expires_at"))
        else:
            cleaned["expires_at"] = clock.now() + timedelta(days=int(lifetime)) if lifetime else None
        return cleaned

    def _check_date(self, moment: datetime | None) -> None:
        if moment is None:
            if "expires_at" not in self.errors:
                self.add_error("expires_at", "Choose a date and a time.")
        elif moment <= clock.now():
            self.add_error("expires_at", "This has passed already.")


class RotateForm(forms.Form):
    """How long the old key goes on working."""

    overlap = forms.ChoiceField(
        label="The old key",
        choices=[(seconds, label) for seconds, label, _ in OVERLAPS],
        initial="86400",
        widget=UnfoldAdminRadioSelectWidget(),
    )

    def chosen(self) -> timedelta:
        """Return the overlap of a valid form."""
        return timedelta(seconds=int(self.cleaned_data["overlap"]))
