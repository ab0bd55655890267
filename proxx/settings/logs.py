"""Where log lines go: all to stderr, as JSON or as text (proxx/kit/logs.py); talkative libraries only complain."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from proxx.settings import env

PROXY_LOG_LEVEL = env.text("PROXY_LOG_LEVEL", default="info").upper()
if PROXY_LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured("PROXY_LOG_LEVEL must be one of debug, info, warning, error.")

PROXY_LOG_FORMAT = env.text("PROXY_LOG_FORMAT", default="json").lower()
if PROXY_LOG_FORMAT not in {"json", "text"}:
    raise ImproperlyConfigured("PROXY_LOG_FORMAT must be json or text.")

# At their lower levels these name addresses with their queries, SQL with its values, and every tick of a clock.
TALKATIVE = ("httpx", "httpcore", "celery", "kombu", "amqp", "asyncio", "daphne", "twisted", "django.db.backends")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "proxx.kit.logs.JsonLines", "known_secrets": "ext://proxx.kit.logs.configured_secrets"},
        "text": {"()": "proxx.kit.logs.TextLines", "known_secrets": "ext://proxx.kit.logs.configured_secrets"},
    },
    "filters": {"one_line": {"()": "proxx.kit.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": PROXY_LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": PROXY_LOG_LEVEL},
    "loggers": {
        **{name: {"level": "WARNING"} for name in TALKATIVE},
        "django": {"handlers": [], "propagate": True},
        # Whoever scans the network sends foreign Hosts: a word is enough, where the code refused them is known.
        "django.security.DisallowedHost": {"filters": ["one_line"]},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
