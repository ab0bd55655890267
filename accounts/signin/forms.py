"""The forms for signing in, in the console's look."""

from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.core.cache import cache
from django.forms import Form
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from accounts.signin import second_factor

ONCE = 120  # seconds: longer than a code of an authenticator app is taken


class SignInForm(LoginForm):
    """Name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = {"autocomplete": "username", "autofocus": "", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["login"].widget = UnfoldAdminTextInputWidget(name)
        _password(self)


class ConfirmForm(ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _password(self)


class _CodeForm:
    """A code of an authenticator app, or a recovery code; either works once."""

    fields: dict[str, Any]
    cleaned_data: dict[str, Any]
    user: Any
    authenticator: Authenticator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)

    def clean_code(self) -> str:
        """Find what the code belongs to."""
        code = second_factor.normal(self.cleaned_data["code"])
        recovery = len(code) == second_factor.CODE_LENGTH
        self.cleaned_data["code"] = second_factor.digest(self.user, code) if recovery else code
        with second_factor.belonging_to(self.user):
            super().clean_code()  # type: ignore[misc]
        is_code_of_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_code_of_app and not cache.add(f"proxx.totp:{self.user.pk}:{code}", 1, timeout=ONCE):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_CodeForm, factor_forms.AuthenticateForm):
    """The second step of signing in."""


class ConfirmCodeForm(_CodeForm, factor_forms.ReauthenticateForm):
    """A code once more."""


class NewAppForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)
        self.fields["code"].label = "The code it shows"


class NewPasskeyForm(AddWebAuthnForm):
    """A name for a new passkey, and whether it alone is enough to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget = UnfoldAdminTextInputWidget({"maxlength": "60"})
        self.fields["name"].max_length = 60
        alone = self.fields["passwordless"]
        alone.widget = UnfoldBooleanWidget()
        alone.label = "Sign in with it alone"
        alone.help_text = "Without name and password; the device then asks for a fingerprint, a face or a PIN."
        alone.initial = True


def _password(form: Form) -> None:
    field = form.fields["password"]
    field.widget = UnfoldAdminPasswordWidget({"autocomplete": "current-password"})
    field.help_text = ""


def _code(form: Any) -> None:
    how = {"autocomplete": "one-time-code", "autofocus": "", "autocapitalize": "none", "spellcheck": "false"}
    form.fields["code"].widget = UnfoldAdminTextInputWidget(how)
    form.fields["code"].max_length = 40
