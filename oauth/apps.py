"""Sign-in accounts: an empty room until its flows are built."""

from django.apps import AppConfig


class OauthConfig(AppConfig):
    """Upstream accounts obtained by signing in."""

    name = "oauth"
    verbose_name = "Sign-in accounts"
