"""config.yaml of the Go proxx (seed 003 wrote it): one upstream that speaks Messages, and four numbers."""

from collections.abc import Mapping
from typing import Any

from routing.keys_file import FileFault
from routing.moving.found import Found, Place, is_at_home, sound_url, text_of, unknown
from routing.moving.known import Known

FIELDS = ("port", "upstream_url", "temperature", "max_retries", "retry_base_delay_ms")


def read(data: Any, text: str, name: str, known: Known) -> Found:
    """Read the file: its upstream becomes a provider, unless proxx ships it; the numbers are settings of proxx."""
    base = sound_url(text_of(data, "upstream_url"), name)
    shipped = [one for one in known.providers.values() if one.shipped]
    home = next((one for one in shipped if "anthropic" in one.paths and is_at_home(one, base)), None)
    places: tuple[Place, ...] = ()
    if home is None:
        places = (known.own_place("", base, {"protocols": ["anthropic"], "auth": "x-api-key"}),)
    provider_id = home.id if home else places[0].provider_id
    notes = [
        *unknown(data, FIELDS, name),
        f"{name}: its clients bring their own keys of {provider_id}: make a listener with clients' own keys for it, or "
        "add a credential and give the clients proxx keys.",
    ]
    for field, setting in (("port", "PROXY_PORT"), ("max_retries", "UPSTREAM_TRANSIENT_RETRY_COUNT")):
        notes += _setting(data, field, setting, name)
    notes += _setting(data, "retry_base_delay_ms", "UPSTREAM_TRANSIENT_RETRY_BACKOFF_MS", name)
    if data.get("temperature") is not None:
        notes.append(f"{name}: temperature is an option of a profile; make one and give it to the tenant or listener.")
    return Found("config.yaml of the Go proxx", places=places, notes=tuple(notes))


def _setting(data: Mapping[str, Any], field: str, variable: str, name: str) -> list[str]:
    value = data.get(field)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        raise FileFault(f"{name}: {field} must be a whole number.")
    return [f"{name}: {field} is the setting {variable}={value} of proxx."]
