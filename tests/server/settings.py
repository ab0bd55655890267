"""What the servers under test need of Django: settings and keys, no console; they start in half the time."""

from proxx.settings.test import *  # noqa: F403

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "accounts",
    "oauth",
    "routing",
    "analytics",
]
