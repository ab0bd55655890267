"""The routing app."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Providers and models."""

    name = "routing"
    verbose_name = "Providers and models"
