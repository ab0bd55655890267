"""What must be right before anything is served; each fault is one sentence that says what to do (security B1, I5).

`settings_faults` needs only the settings and runs before Django is set up, `check_data` needs the database.
"""

from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from proxx.kit import peer, sealing

LEAST_SECRET: Final = 32  # characters
LEAST_VARIETY: Final = 8  # different characters: "aaaa..." is long, but no secret
HIGHEST_PORT: Final = 65535  # getaddrinfo takes larger ones, and means another
SERVERS: Final = ("daphne", "uvicorn")
DATA_PLANES: Final = ("fast", "stock")
LIMITS: Final = ("auto", "local", "database", "redis")

# Words of which example values are made, here and in the samples of other gateways.
_EXAMPLES: Final = (
    "change-me",
    "changeme",
    "change_me",
    "replace-me",
    "replace_me",
    "replaceme",
    "example",
    "django-insecure",
    "your-secret",
    "your_secret",
    "insecure",
    "placeholder",
    "paste-",
)


class CannotStart(Exception):
    """Why the server refuses to start, in one sentence."""


def check_settings(settings: Any) -> None:
    """Raise `CannotStart` for the first fault that the settings alone show."""
    host = settings.PROXY_HOST  # the first look at the settings: a value that cannot be read raises here, by its name
    faults = (
        _secret_fault("SECRET_KEY", _secret_key(settings))
        or _secret_fault("PROXY_TOKEN_PEPPER", settings.KEY_PEPPER)
        or _former_fault(settings.FORMER_PEPPERS)
        or _sealing_fault(settings.SEALING_KEYS)
        or _access_fault(settings, host)
        or _choice_fault(settings)
    )
    if faults:
        raise CannotStart(faults)


def check_data() -> None:
    """Raise `CannotStart` if registry or egress settings are faulty, or the database is away or not up to date."""
    from django.conf import settings
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import Error

    from accounts.signin import admission
    from analytics import traces
    from proxx.upstream import client
    from routing import providers

    if fault := client.configuration_fault() or traces.fault(settings):
        raise CannotStart(fault)
    if wrong := admission.faults():
        raise CannotStart(f"Who may sign in cannot be read: {wrong[0]}")
    try:
        providers.load()
    except providers.ProviderFault as broken:
        raise CannotStart(f"The provider registry is faulty: {broken}") from None
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as away:
        raise CannotStart(f"The database cannot be asked: {' '.join(str(away).split())}") from None
    finally:
        connection.close()
    if waiting:
        raise CannotStart(
            f"The database lacks {len(waiting)} migration(s), the first being {waiting[0][0]}: "
            "run `make migrate` (python manage.py migrate)."
        )


def warnings(settings: Any) -> list[str]:
    """Return what is allowed but worth a line."""
    if settings.PROXY_ALLOW_UNAUTHENTICATED and not on_loopback(settings.PROXY_HOST):
        return [
            f"Everybody who reaches {settings.PROXY_HOST} may use the providers' credentials: "
            "PROXY_ALLOW_UNAUTHENTICATED is true."
        ]
    return []


def data_warnings() -> list[str]:
    """Return what the database shows that is worth a line (security C2)."""
    from django.conf import settings

    from accounts import key_state, resealing

    found = []
    if settings.FORMER_PEPPERS and (count := key_state.under_former_peppers()):
        found.append(
            f"{count} active key(s) were not made under the present PROXY_TOKEN_PEPPER: rotate them, and keep the "
            "older peppers in PROXY_TOKEN_PEPPER_FORMER until that is done."
        )
    if count := resealing.retired():
        found.append(
            f"{count} stored secret(s) are sealed under a key that is not the first of PROXY_ENCRYPTION_KEYS: run "
            "`python manage.py rotate_secrets`, and keep the older keys until it has finished."
        )
    return found


def on_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secret_key(settings: Any) -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own word for an empty one
        return ""


def _secret_fault(name: str, value: str) -> str | None:
    if not value:
        return f"{name} is missing: set it to at least {LEAST_SECRET} random characters (`make run` writes it to .env)."
    if len(value) < LEAST_SECRET or len(set(value)) < LEAST_VARIETY:
        return f"{name} is too short or too simple: it needs at least {LEAST_SECRET} random characters."
    if any(word in value.lower() for word in _EXAMPLES):
        return f"{name} is an example value: set it to at least {LEAST_SECRET} random characters of your own."
    return None


def _former_fault(peppers: tuple[str, ...]) -> str | None:
    faults = (_secret_fault("A pepper of PROXY_TOKEN_PEPPER_FORMER", pepper) for pepper in peppers)
    return next(filter(None, faults), None)


def _sealing_fault(keys: tuple[str, ...]) -> str | None:
    if not keys:
        return "PROXY_ENCRYPTION_KEYS is missing: set it to 32 random bytes in base64 (`make run` writes it to .env)."
    for number, key in enumerate(keys, start=1):
        fault = sealing.key_fault(key)
        if fault is None and len(set(key.rstrip("="))) < LEAST_VARIETY:
            fault = "is an example value"
        if fault:
            return f"PROXY_ENCRYPTION_KEYS: key {number} {fault}; each key is 32 random bytes in base64."
    return None


def _access_fault(settings: Any, host: str) -> str | None:
    if settings.PROXY_AUTH_TOKEN_IS_SET and not settings.PROXY_AUTH_TOKEN:
        return "PROXY_AUTH_TOKEN is set but empty: give it a value or remove it."
    if settings.DEBUG and not on_loopback(host):
        return f"DEBUG is on while PROXY_HOST is {host}: pages would show secrets to the network."
    return None


def _choice_fault(settings: Any) -> str | None:
    if settings.PROXY_PORT > HIGHEST_PORT:
        return f"PROXY_PORT must be a whole number from 0 to {HIGHEST_PORT}."
    if settings.PROXX_SERVER not in SERVERS:
        return f"PROXX_SERVER must be one of {', '.join(SERVERS)}."
    if settings.PROXX_SERVER == "uvicorn" and not (find_spec("uvicorn") and find_spec("httptools")):
        return "PROXX_SERVER is uvicorn, which is not installed: pip install -r requirements/uvicorn.txt."
    if settings.PROXY_LIMITS not in LIMITS:
        return f"PROXY_LIMITS must be one of {', '.join(LIMITS)}."
    if settings.PROXY_LIMITS == "redis" and not settings.REDIS_URL:
        return "PROXY_LIMITS is redis, and REDIS_URL does not say where that is."
    if settings.PROXX_DATA_PLANE not in DATA_PLANES:
        return f"PROXX_DATA_PLANE must be one of {', '.join(DATA_PLANES)}."
    if settings.PROXY_TRAFFIC_LOG and settings.PROXY_BODIES_MOST == "off":
        return "PROXY_TRAFFIC_LOG is set, but by PROXY_BODIES_MOST=off nobody may keep what is said. Change one."
    network = peer.faulty(settings.PROXY_TRUSTED_PROXIES)
    if network is not None:
        return "PROXY_TRUSTED_PROXIES must list addresses or networks, such as 127.0.0.1 or 10.0.0.0/8."
    return None
