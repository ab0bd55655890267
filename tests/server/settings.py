"""What the servers under test need of Django: settings and keys, no console; they start in half the time."""

from proxx.settings.test import *  # noqa: F403

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "accounts",
    "oauth",
    "routing",
    "analytics",
]
