"""The analytics app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Traffic."""

    name = "analytics"
    verbose_name = "Traffic"
