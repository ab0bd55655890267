"""The oauth app: accounts obtained by signing in."""

from django.apps import AppConfig


class OauthConfig(AppConfig):
    """Upstream accounts obtained by signing in."""

    name = "oauth"
    verbose_name = "Sign-in accounts"
