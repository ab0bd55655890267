"""The forms behind the key pages: issue, and rotate."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
)

from accounts import granting, scopes
from accounts.models import DEFAULT_TENANT_ID, ApiKey
from accounts.restricted import RESTRICTIONS
from accounts.rights import NOBODY, Who
from proxx.kit import clock

ALL, SOME, NONE = "all", "some", "none"
CALLS = ((ALL, "All kinds"), (SOME, "Only some kinds"), (NONE, "None"))
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


SCOPES = ("calls", "families", "beside")  # in every form, whatever its page shows


class ScopesForm(_KeyForm):
    """What a key may ask for; `by` is who says it, and `locked` whether that is fixed for them."""

    by: Who = NOBODY
    locked = False

    calls = forms.ChoiceField(label="Model calls", choices=CALLS, initial=ALL, widget=UnfoldAdminSelectWidget())
    families = forms.MultipleChoiceField(
        label="Kinds of calls",
        required=False,
        choices=[*scopes.FAMILIES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="By the endpoint that is asked. Without lists of models, clients cannot look for one.",
    )
    beside = forms.MultipleChoiceField(
        label="And also",
        required=False,
        choices=[*scopes.BESIDE.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Files and batches lie in our accounts at OpenAI and Anthropic, those of all tenants alike. The "
        "control API manages keys and settings of the key's own tenant.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.locked:
            for name in SCOPES:
                self.fields[name].disabled = True
        if "beside" in self.fields:
            self.fields["beside"].choices = [  # type: ignore[attr-defined]
                (scope, name)
                for scope, name in scopes.BESIDE.items()
                if scope in self.instance.scopes or self._gives(scope)
            ]
        if "calls" in self.fields:
            families = [one for one in self.instance.scopes if one in scopes.FAMILIES]
            every = scopes.USE in self.instance.scopes
            self.fields["calls"].initial = ALL if every else SOME if families else NONE
            self.fields["families"].initial = families
            self.fields["beside"].initial = [one for one in self.instance.scopes if one in scopes.BESIDE]

    def clean(self) -> dict[str, Any]:
        """Refuse a key that may do nothing."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("calls") == SOME and not cleaned.get("families") and "families" not in self.errors:
            self.add_error("families", "Choose at least one.")
        elif cleaned.get("calls") == NONE and not cleaned.get("beside") and "beside" not in self.errors:
            self.add_error("calls", "This key could do nothing at all.")
        self._refuse_too_much(cleaned)
        return cleaned

    def _refuse_too_much(self, cleaned: dict[str, Any]) -> None:
        tenant = cleaned.get("tenant") if self.instance._state.adding else self.instance.tenant
        fresh = set(cleaned.get("beside") or ()) - (set() if self.instance._state.adding else set(self.instance.scopes))
        lacking = [one for one in sorted(fresh) if tenant and not granting.may_give(self.by, one, tenant.pk)]
        if lacking:
            said = ", ".join(scopes.BESIDE[one] for one in lacking)
            self.add_error("beside", f"You cannot give a key what you may not do yourself: {said}.")

    def scopes(self) -> list[str]:
        """Return the key's scopes as the valid form wants them."""
        calls = self.cleaned_data["calls"]
        own = [scopes.USE] if calls == ALL else self.cleaned_data["families"] if calls == SOME else []
        return [*own, *self.cleaned_data["beside"]]

    def _gives(self, scope: str) -> bool:
        """Tell whether they may give it to this key, or to a new one of any tenant of theirs."""
        places = [self.instance.tenant_id] if self.instance.tenant_id else [DEFAULT_TENANT_ID, *self.by.own]
        return any(granting.may_give(self.by, scope, place) for place in places)


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
        fields = ("tenant", "label", "expires_at", "profile", *RESTRICTIONS, "bodies", "bodies_percent")

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
