"""Who may sign in to the console and how: limits, second factors, providers of identities, mail.

The names that begin with ACCOUNT_, MFA_ or SOCIALACCOUNT_ belong to django-allauth, all others are ours.
"""

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from proxx.settings import env

# How long a sign-in lasts, and for how long a confirmed identity counts for what is dangerous.
PROXY_SIGN_IN_HOURS = env.number("PROXY_SIGN_IN_HOURS", default=168, least=0.1)
PROXY_SIGN_IN_IDLE_MINUTES = env.number("PROXY_SIGN_IN_IDLE_MINUTES", default=480, least=1)
PROXY_STEP_UP_MINUTES = env.number("PROXY_STEP_UP_MINUTES", default=15, least=1)

PROXY_SECOND_FACTOR_ROLES = env.words("PROXY_SECOND_FACTOR_ROLES")  # or all

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SESSION_COOKIE_AGE = int(PROXY_SIGN_IN_HOURS * 3600)
LOGIN_URL = "/console/login/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = LOGIN_URL

# What counts wrong passwords. In the database, so that all processes count together, with Redis and without.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "proxx_cache"}}

ACCOUNT_ADAPTER = "accounts.signin.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.signin.forms.SignInForm",
    "reauthenticate": "accounts.signin.forms.ConfirmForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_SESSION_COOKIE_AGE = SESSION_COOKIE_AGE
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(PROXY_STEP_UP_MINUTES * 60)
# Per name and address five wrong ones in ten minutes and twenty a day; each is forgiven when its time is over.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,100/h/ip,5/10m/key,20/d/key",
    "reauthenticate": "20/m/user",
}

# Second factors. Recovery codes are ours: allauth would keep them readable.
MFA_ADAPTER = "accounts.signin.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.signin.forms.CodeForm",
    "reauthenticate": "accounts.signin.forms.ConfirmCodeForm",
    "activate_totp": "accounts.signin.forms.NewAppForm",
    "add_webauthn": "accounts.signin.forms.NewPasskeyForm",
}
MFA_TOTP_ISSUER = "proxx"
MFA_TOTP_TOLERANCE = 1  # half a minute of a clock that goes wrong
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nothing here depends on e-mail addresses

# Providers of identities, and who of theirs may come in (accounts/signin/admission.py reads the lists).
PROXY_SIGN_IN_GRANTS_OWNER = env.flag("PROXY_SIGN_IN_GRANTS_OWNER", default=False)
PROXY_SIGN_IN_WAYS: dict[str, str] = {}  # names by id, in the order of the sign-in page
PROXY_SIGN_IN_LISTS: dict[str, tuple[str, ...]] = {}
_issuers: list[dict[str, Any]] = []


def _add_issuer(
    name: str, *, issuer: str, client: str, secret: str, label: str, scopes: tuple[str, ...], groups: str
) -> None:
    host = urlsplit(env.address(f"the issuer {name}", issuer, "https", "http")).hostname or ""
    if issuer.startswith("http:") and host not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(f"The issuer {name} must be reached by https.")
    own = {"server_url": issuer.rstrip("/"), "scope": list(scopes), "groups_claim": groups}
    _issuers.append(
        {"provider_id": name, "name": label or host, "client_id": client, "secret": secret, "settings": own}
    )
    PROXY_SIGN_IN_WAYS[name] = label or host


_SCOPES, _GROUPS = "openid,profile,email", "groups"
PROXY_OIDC_ISSUER = env.text("PROXY_OIDC_ISSUER")
if PROXY_OIDC_ISSUER:
    _add_issuer(
        "oidc",
        issuer=PROXY_OIDC_ISSUER,
        client=env.text("PROXY_OIDC_CLIENT_ID"),
        secret=env.secret("PROXY_OIDC_CLIENT_SECRET"),
        label=env.text("PROXY_OIDC_NAME"),
        scopes=env.words("PROXY_OIDC_SCOPES", default=_SCOPES),
        groups=env.text("PROXY_OIDC_GROUPS_CLAIM", default=_GROUPS),
    )
    PROXY_SIGN_IN_LISTS["oidc"] = env.words("PROXY_OIDC_ALLOWED")
for _one in env.words("PROXY_OIDC_MORE"):
    _start = f"PROXY_OIDC_{_one.upper().replace('-', '_')}_"
    _add_issuer(
        _one.lower(),
        issuer=env.text(f"{_start}ISSUER"),
        client=env.text(f"{_start}CLIENT_ID"),
        secret=env.secret(f"{_start}CLIENT_SECRET"),
        label=env.text(f"{_start}NAME"),
        scopes=env.words(f"{_start}SCOPES", default=_SCOPES),
        groups=env.text(f"{_start}GROUPS_CLAIM", default=_GROUPS),
    )
    PROXY_SIGN_IN_LISTS[_one.lower()] = env.words(f"{_start}ALLOWED")

GITHUB_OAUTH_CLIENT_ID = env.text("GITHUB_OAUTH_CLIENT_ID")
_github: dict[str, Any] = {"OAUTH_PKCE_ENABLED": True}
if GITHUB_OAUTH_CLIENT_ID:
    _users = tuple(f"user:{user}" for user in env.words("GITHUB_ALLOWED_USERS"))
    PROXY_SIGN_IN_WAYS["github"] = "GitHub"
    PROXY_SIGN_IN_LISTS["github"] = (*_users, *env.words("PROXY_GITHUB_ALLOWED"))
    _orgs = ["read:org"] if any(text.startswith("org:") for text in PROXY_SIGN_IN_LISTS["github"]) else []
    _secret = env.secret("GITHUB_OAUTH_CLIENT_SECRET")
    _github["APPS"] = [{"client_id": GITHUB_OAUTH_CLIENT_ID, "secret": _secret, "name": "GitHub"}]
    _github["SCOPE"] = ["user:email", *_orgs]

SOCIALACCOUNT_ADAPTER = "accounts.signin.outside.OutsideAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": _issuers}, "github": _github}

# Mail, for alerts. Without it there is none.
PROXY_MAIL_URL = env.secret("PROXY_MAIL_URL")
DEFAULT_FROM_EMAIL = env.text("PROXY_MAIL_FROM", default="proxx@localhost")
EMAIL_TIMEOUT = 10
_mail: dict[str, Any] = environ.Env.email_url_config(PROXY_MAIL_URL) if PROXY_MAIL_URL else {}
EMAIL_BACKEND = _mail.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST, EMAIL_PORT = _mail.get("EMAIL_HOST") or "localhost", _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
