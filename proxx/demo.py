"""`make demo`: the same house beside a simulated provider, on data of its own, with traffic to look at.

Nothing of the operator's is used or changed: neither .env nor credentials, database or Redis. The upper half is plain
Python for the supervisor; `python -m proxx.demo` is the step with Django, which gives the traffic its tenants and keys.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from proxx.child import Child, say
from proxx.env_file import ROOT

DATA = ROOT / "data" / "demo"
# All that a demo takes over from outside: what a process needs to run, and where it shall listen.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PROXX_SERVER")
PLACE = ("PROXY_HOST", "HOST", "PROXY_PORT", "PORT", "PROXY_LOG_LEVEL", "PROXY_TRAFFIC_LOG")
# Who calls: tenant, its name, calls a second.
TENANTS = (("default", "Default", 0.5), ("research", "Research", 1.0), ("support", "Support desk", 0.7))
VISITOR = "demo visitor"
SECONDS, CALLS = 900, 900
ACCOUNTS = [
    {"id": "team", "label": "Team account", "key": "sk-sim-team"},
    {"id": "spare", "label": "Spare account", "key": "sk-sim-spare"},
    {"id": "trial", "label": "Trial, always busy", "key": "sk-sim-fault-429.trial"},
]
# What the callers ask for although the simulated provider does not list it (tests/upstreams/demo_traffic.py).
UNLISTED = (
    "sim-pace-40x30",
    "sim-pace-60x30",
    "sim-usage-1212-90-512",
    "sim-usage-3260-410-2560",
    "sim-usage-8636-870-7936",
    "sim-fault-400-context",
    "sim-fault-error-mid-stream",
    "sim-fault-cut-mid-frame",
)

# What the simulated models cost, in dollars per million tokens: input, output, input from the cache.
PRICES = {
    "gpt-x": ("2.5", "15", "0.25"),
    "gpt-x-mini": ("0.3", "2.4", "0.03"),
    "glm-x": ("0.6", "2.2", "0.11"),
    "claude-x": ("3", "15", "0.3"),
    "sim-echo": ("0.1", "0.4", "0.025"),
    "sim-say": ("0.5", "1.5", "0.05"),
    "sim-slow": ("1.25", "10", "0.125"),
    "sim-tools": ("2", "8", "0.5"),
    "sim-think": ("5", "25", "0.5"),
    "sim-length": ("0.5", "1.5", "0.05"),
    "sim-filter": ("0.5", "1.5", "0.05"),
    **dict.fromkeys(UNLISTED, ("1.25", "10", "0.125")),
}


def environment(outside: Mapping[str, str], provider_port: int) -> dict[str, str]:
    """Return the environment of a demo whose simulated provider is on that port."""
    DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    provider = f"http://127.0.0.1:{provider_port}/v1"
    return {
        **{name: outside[name] for name in (*KEPT, *PLACE) if name in outside},
        "PROXX_ENV_FILE": str(DATA / ".env"),
        "PROXY_DATA_DIR": str(DATA),
        "PROXY_KEYS_FILE": os.devnull,
        "PROXY_MODELS_FILE": os.devnull,
        "PROXY_KEYS_JSON": json.dumps({"providers": {"openai": ACCOUNTS}}),
        "PROXY_MODELS": ",".join(UNLISTED),
        "OPENAI_BASE_URL": provider,
        "UPSTREAM_PROVIDER_ID": "openai",
        "UPSTREAM_FALLBACK_PROVIDER_IDS": "",
    }


def provider(environment: Mapping[str, str], port: int) -> Child:
    """Return the simulated provider, not yet started."""
    return Child(
        "sim",
        (sys.executable, "-m", "tests.upstreams", "--port", str(port)),
        environment,
        ROOT,
        unsaid="Simulated provider: ",
    )


def callers(environment: Mapping[str, str], base_url: str, provider_port: int) -> list[Child]:
    """Return one caller per tenant, not yet started; their keys travel in the environment, where nobody else looks."""
    keys = json.loads(_keys_file().read_text())
    script = ("-m", "tests.upstreams.demo_traffic", "--base-url", f"{base_url}/v1")
    bounds = ("--seconds", str(SECONDS), "--count", str(CALLS), "--provider-url", f"http://127.0.0.1:{provider_port}")
    return [
        Child("calls", (sys.executable, *script, *bounds, "--rate", str(rate)), {**environment, "PROXX_KEY": key}, ROOT)
        for (_, _, rate), key in zip(TENANTS, keys, strict=True)
    ]


def main() -> None:
    """Make tenants, keys and prices for the traffic, once; the tokens stay in a file that only its owner reads.

    Later demos give the visitor a fresh key instead: the first one was shown once.
    """
    import django

    django.setup()
    from accounts import keys
    from accounts.models import Tenant

    logging.getLogger("accounts.audit").setLevel(logging.WARNING)  # a person reads along, as in prepare.py
    set_prices()
    if _keys_file().is_file():
        for line in _welcome_back():
            say(line)
        return
    tokens = []
    for slug, name, _ in TENANTS:
        tenant, _ = Tenant.objects.get_or_create(slug=slug, defaults={"name": name})
        tokens.append(keys.issue(tenant, label="demo traffic")[1])
    with os.fdopen(os.open(_keys_file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(tokens, file)


def set_prices() -> None:
    """Say what the simulated models cost, as an operator would; where any price was set before, nothing is touched."""
    from routing.models import FactSetting

    if FactSetting.objects.exists():
        return
    for model, (price_in, price_out, cached) in PRICES.items():
        FactSetting.objects.create(
            model=model,
            provider_id="openai",
            price_input=price_in,
            price_output=price_out,
            price_cache_read=cached,
            notes="Of the demo: nobody is billed.",
        )


def _welcome_back() -> list[str]:
    from accounts import keys
    from accounts.models import DEFAULT_TENANT_ID, ApiKey, Tenant

    for key in ApiKey.objects.filter(label=VISITOR, revoked_at=None):
        keys.revoke(key)
    _, token = keys.issue(Tenant.objects.get(pk=DEFAULT_TENANT_ID), label=VISITOR)
    again = f"The password of an earlier demo still holds. Forgotten? Delete {DATA.relative_to(ROOT)} to begin anew."
    return [f"  {'Fresh key':<10} export PROXX_KEY={token}", f"  {'':<10} {again}", ""]


def _keys_file() -> Path:
    return DATA / "traffic.json"


if __name__ == "__main__":
    main()
