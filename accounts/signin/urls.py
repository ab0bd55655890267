"""Everything about signing in, below /console/. The names are allauth's where it looks for them."""

from allauth.mfa.webauthn import views as passkey_views
from django.contrib import admin
from django.urls import path

from accounts.signin import factor_views, outside_views, views
from accounts.signin.step_up import View, requires_step_up

page = admin.site.admin_view  # only for who is signed in and may open the console


def careful(view: View) -> View:
    """Return the view as a page that asks again who is there."""
    return page(requires_step_up(view))


urlpatterns = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("logout/", admin.site.logout, name="account_logout"),
    path("login/off/", views.SwitchedOff.as_view(), name="account_inactive"),
    path("confirm/", page(views.Confirm.as_view()), name="account_reauthenticate"),
    path("account/", page(views.account), name="signin_account"),
    path("login/code/", factor_views.EnterCode.as_view(), name="mfa_authenticate"),
    path("login/passkey/", passkey_views.login_webauthn, name="mfa_login_webauthn"),
    path("login/with/<slug:provider_id>/", outside_views.begin, name="signin_with"),
    path("login/with/<slug:provider_id>/callback/", outside_views.back, name="signin_back"),
    path("account/identities/unlink/", careful(outside_views.unlink), name="signin_unlink"),
    path("confirm/code/", page(factor_views.ConfirmByCode.as_view()), name="mfa_reauthenticate"),
    path("confirm/passkey/", page(factor_views.ConfirmByPasskey.as_view()), name="mfa_reauthenticate_webauthn"),
    path("account/app/", careful(factor_views.AddApp.as_view()), name="mfa_activate_totp"),
    path("account/app/remove/", careful(factor_views.RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path("account/passkeys/", page(views.account), name="mfa_list_webauthn"),
    path("account/passkeys/add/", careful(factor_views.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "account/passkeys/<int:pk>/remove/", careful(factor_views.RemovePasskey.as_view()), name="mfa_remove_webauthn"
    ),
    path("account/recovery-codes/", careful(factor_views.renew_codes), name="signin_codes"),
    path("account/factors/", page(views.account), name="mfa_index"),
    path("account/sign-ins/end/", page(views.end_sign_ins), name="signin_end"),
]
