"""The form of a provider in the console: an address, how to sign in there, what is spoken."""

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from routing import pages, provider_rules, providers
from routing.models import ProviderSetting

if TYPE_CHECKING:
    _SettingForm = forms.ModelForm[ProviderSetting]
else:
    _SettingForm = forms.ModelForm

# Help for a provider that nothing is shipped for.
PRIVATE_WORDS = {
    "provider_id": "Its short name: lower case, used in model prefixes and in files. It cannot change later.",
    "label": "Name for people. Empty: the short name.",
    "base_url": "Such as https://llm.example/v1. This approves exactly this origin, private addresses included.",
    "auth": "How a key travels. Default: Bearer.",
    "needs_key": "Default: yes. No: it is called without a credential, too.",
    "protocols": "None chosen: OpenAI chat.",
    "priority": "Lower numbers are tried first. Empty: 100.",
    "models_paths": 'Where models are listed, e.g. ["/v1/models"], which is the default; [] for nowhere.',
    "quirks": "Named edits of requests; see the manual.",
}

STRATEGY_NAMES = {name: name.replace("_", " ").capitalize() for name in providers.STRATEGIES}
STRATEGY_WORDS = " ".join(
    [
        "Who comes first among accounts with the same priority. Default: affinity.",
        *(f"{STRATEGY_NAMES[name]}: {said}." for name, said in providers.STRATEGIES.items()),
    ]
)


class ProviderForm(_SettingForm):
    """An address, how to sign in there, what is spoken; the shapes are checked by the registry's own rules."""

    protocols = forms.MultipleChoiceField(
        label="Speaks",
        choices=list(pages.NAMES.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: as shipped.",
    )
    auth = forms.ChoiceField(
        label="Sign-in style",
        choices=[("", "Default"), *((style, style) for style in providers.AUTH_STYLES)],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="How a key travels. Default: as shipped.",
    )
    strategy = forms.ChoiceField(
        label="Order of accounts",
        choices=[("", "Default"), *STRATEGY_NAMES.items()],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=STRATEGY_WORDS,
    )
    may_move = True  # set by the page: whether this operator may send stored secrets to another address

    class Meta:
        model = ProviderSetting
        exclude: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "needs_key" in self.fields:
            choices = [("unknown", "Default"), ("true", "Yes"), ("false", "No")]
            self.fields["needs_key"].widget.choices = choices
        if self.instance._state.adding or self.instance.is_private:
            for name, text in PRIVATE_WORDS.items():
                if name in self.fields:
                    self.fields[name].help_text = text

    def clean_provider_id(self) -> str:
        """Return the id in lower case, if it may be one."""
        wanted: str = self.cleaned_data["provider_id"].strip().lower()
        if fault := provider_rules.id_fault(wanted):
            raise forms.ValidationError(fault)
        return wanted

    def clean_base_url(self) -> str:
        """Refuse an address that could not be called, and one that would carry secrets away."""
        base: str = self.cleaned_data["base_url"].strip()
        before = self.initial.get("base_url") or ""
        fault = provider_rules.address_fault(self.instance.provider_id, base, before=before, may_move=self.may_move)
        if fault:
            raise forms.ValidationError(fault)
        return base
