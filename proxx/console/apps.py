"""The console's own pages, as a Django app."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages that are more than a change list."""

    name = "proxx.console"
    label = "console"
    verbose_name = "Console"
