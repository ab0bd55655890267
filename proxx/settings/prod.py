"""Serving for real, on a loopback address or behind TLS."""

from proxx.settings.base import *

LOOPBACK = PROXY_HOST in {"127.0.0.1", "::1", "localhost"}

# A plain-http loopback console cannot set Secure cookies; everything else must (security B5).
PLAIN = LOOPBACK and not PUBLIC_URL.startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN
SESSION_COOKIE_NAME = "proxx_session" if PLAIN else "__Host-proxx_session"
CSRF_COOKIE_NAME = "proxx_csrf" if PLAIN else "__Host-proxx_csrf"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
