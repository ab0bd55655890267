"""The other way: what the database holds, in the shapes of the files that can be taken over.

Each function returns the file's data and a sentence for each thing that the shape has no room for. `token` decides
whether a secret is written out or only its last four characters.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import Credential
from accounts.profile import lines_of
from routing import provider_env, rows
from routing.models import ModelPreference, PolicyRule, ProviderSetting
from routing.providers import Provider, ProviderFault, load

KIND_LISTS = {"anthropic": "claude-api-key", "gemini": "gemini-api-key"}  # by what a provider of one's own speaks
APPENDED = {"claude-api-key": "/v1", "gemini-api-key": "/v1beta"}
Token = Callable[[Credential], str]
ACCOUNT_ORDERS = {"free_first": "prefer_free", "plan_aware": "custom_weight"}
Exported = tuple[dict[str, Any], list[str]]


def keys(token: Token) -> Exported:
    """Return keys.json."""
    private = {row.provider_id: row.base_url for row in ProviderSetting.objects.all() if row.is_private}
    providers: dict[str, Any] = {}
    for row in Credential.objects.all():
        is_key = row.kind == Credential.Kind.API_KEY
        account: dict[str, Any] = {"auth": row.kind} | _said(row, label="label")
        if row.label or not _is_derived(row.account_id):
            account["id"] = row.account_id
        account |= {"key" if is_key else "access_token": token(row)}
        account |= _said(row, chatgpt_account_id="chatgpt_account_id", plan_type="plan_type", base_url="base_url")
        account |= {"priority": row.priority} | ({} if row.enabled else {"enabled": False})
        if row.expires_at:
            account["expires_at"] = int(row.expires_at.timestamp())
        address = {"base_url": private[row.provider_id]} if private.get(row.provider_id) else {}
        providers.setdefault(row.provider_id, {**address, "accounts": []})["accounts"].append(account)
    weighted = Credential.objects.exclude(weight=1).count()
    notes = [f"keys.json has no weights: those of {weighted} accounts are left out."] if weighted else []
    notes += [f"keys.json tells where {one} is, not what it speaks." for one in providers if one in private]
    return {"providers": providers}, notes


def models(token: Token) -> Exported:
    """Return models.json."""
    found = [*ModelPreference.objects.all()]
    preferred = sorted((row for row in found if row.rank is not None), key=lambda row: (row.rank, row.name))
    declared = [{"id": row.name} | _said(row, owned_by="owned_by") for row in found if row.declared]
    data: dict[str, Any] = {"preferred": [row.name for row in preferred]}
    data["disabled"] = [row.name for row in found if row.disabled]
    data["aliases"] = _aliases(found)
    pools = [row.name for row in found if row.targets and row.name not in data["aliases"]]
    left = f"{len(pools)} aliases are left out: {', '.join(pools)}."
    notes = [f"models.json has one model an alias, and no switch: {left}"] if pools else []
    return data | ({"models": declared} if declared else {}), notes


def policy(token: Token) -> Exported:
    """Return a policy file with the rules by model."""
    told, notes = [], []
    for row in PolicyRule.objects.all():
        if not row.enabled:
            notes.append(f"Rule {row} is left out: it is switched off, and policy files have no switch.")
            continue
        if row.order_providers or (row.accounts and row.accounts not in ACCOUNT_ORDERS):
            notes.append(f"Rule {row}: its order by price or of accounts is left out: policy files do not know it.")
        rule: dict[str, Any] = {"name": row.name, "modelPattern": _pattern(row)}
        rule |= _lists(row, providers="preferredProviders", excluded_providers="excludedProviders")
        rule |= _lists(row, protocols="preferredStrategies", excluded_protocols="excludedStrategies")
        if row.accounts in ACCOUNT_ORDERS:
            rule["accountOrdering"] = {"kind": ACCOUNT_ORDERS[row.accounts]}
        elif row.excluded_plans:
            rule["accountOrdering"] = {"kind": "exclude_plans", "plans": [*lines_of(row.excluded_plans)]}
        told.append(rule | ({"requiresPaidPlan": True} if row.paid_plans else {}))
    return {"version": "1.0", "modelRouting": {"rules": told}}, notes


def accounts(token: Token) -> Exported:
    """Return accounts.json of MultiCodex."""
    providers, notes, told = _providers(), [], []
    for row in Credential.objects.all():
        provider = providers.get(row.provider_id)
        account: dict[str, Any] = {"id": row.account_id, "enabled": row.enabled, "priority": row.priority}
        account |= _said(row, label="email", chatgpt_account_id="chatgptAccountId") | {"accessToken": token(row)}
        if row.expires_at:
            account["expiresAt"] = int(row.expires_at.timestamp() * 1000)
        if row.provider_id == "openai" and row.kind == Credential.Kind.OAUTH_BEARER:
            account["provider"] = "openai"
        elif row.provider_id in ("mistral", "zai") and not row.base_url:
            account["provider"] = row.provider_id
        elif base := _address(row, provider, ("openai_chat", "openai_responses")):
            responses = provider is not None and provider.protocol == "openai_responses"
            mode = "responses" if responses else "chat/completions"
            account |= {"provider": "openai-compatible", "upstreamMode": mode, "baseUrl": base}
        else:
            notes.append(f"{row} is left out: MultiCodex cannot ask {row.provider_id}.")
            continue
        told.append(account)
    pools = [
        {"id": row.name, "targets": [*row.targets], "enabled": row.alias_enabled} | _said(row, notes="description")
        for row in ModelPreference.objects.all()
        if row.targets
    ]
    return {"accounts": told, "modelAliases": pools, "settings": {}}, notes


def cli_proxy(token: Token) -> Exported:
    """Return config.yaml of CLIProxyAPI."""
    providers, notes = _providers(), []
    data: dict[str, Any] = {"port": settings.PROXY_PORT}
    compatible: dict[tuple[str, str], dict[str, Any]] = {}
    for row in Credential.objects.all():
        provider = providers.get(row.provider_id)
        if row.kind != Credential.Kind.API_KEY:
            notes.append(f"{row} is left out: CLIProxyAPI keeps sign-ins in files of their own.")
        elif not row.enabled:
            notes.append(f"{row} is left out: it is switched off.")
        elif field := _list_for(row, provider):
            base = row.base_url or (provider.base_url if provider is not None and not provider.shipped else "")
            entry = {"api-key": token(row)} | ({"weight": row.weight} if row.weight != 1 else {})
            data.setdefault(field, []).append(entry | ({"base-url": _bare(base, field)} if base else {}))
        elif base := _address(row, provider, ("openai_chat",)):
            made = {"name": row.provider_id, "base-url": base, "api-key-entries": []}
            place = compatible.setdefault((row.provider_id, base), made)
            place["api-key-entries"].append(
                {"api-key": token(row)} | ({"weight": row.weight} if row.weight != 1 else {})
            )
        else:
            notes.append(f"{row} is left out: CLIProxyAPI cannot ask {row.provider_id}.")
    if compatible:
        data["openai-compatibility"] = [*compatible.values()]
    if ModelPreference.objects.exists():
        notes.append("Model names are left out: config.yaml keeps them with single providers. Export models.json.")
    return data, notes


def go_proxx(token: Token) -> Exported:
    """Return config.yaml of the Go proxx: it holds no accounts."""
    speaking = [one for one in _providers().values() if one.enabled and one.protocol == "anthropic"]
    own = [one for one in speaking if not one.shipped]
    usual = [one for one in speaking if one.id == "anthropic"]
    chosen = own[0] if len(own) == 1 else (usual or speaking or [load()["anthropic"]])[0]
    data: dict[str, Any] = {"port": settings.PROXY_PORT, "upstream_url": chosen.base_url}
    data |= {"max_retries": settings.UPSTREAM_TRANSIENT_RETRY_COUNT}
    data |= {"retry_base_delay_ms": int(settings.UPSTREAM_TRANSIENT_RETRY_BACKOFF * 1000)}
    return data, [
        f"It has one upstream; this is {chosen.label}.",
        "The Go proxx has no accounts: its clients bring their own keys.",
    ]


def _providers() -> Mapping[str, Provider]:
    found, _ = provider_env.configured()
    for row in ProviderSetting.objects.all():
        try:
            provider = rows.applied(row, found)
        except (ProviderFault, TypeError, ValueError, KeyError, AttributeError):
            continue
        if provider is not None:
            found[provider.id] = provider
    return found


def _address(row: Credential, provider: Provider | None, protocols: tuple[str, ...]) -> str:
    """Return where a credential's provider speaks one of the protocols; nothing if it does not."""
    if provider is None:  # a provider that only its accounts know: chat, at their own base URL
        return row.base_url
    return (row.base_url or provider.base_url) if set(protocols) & set(provider.paths) else ""


def _list_for(row: Credential, provider: Provider | None) -> str:
    """Return in which of CLIProxyAPI's lists by kind a key belongs: that of its provider, or of what its own provider
    speaks; nothing if in none."""
    if provider is None or provider.shipped:
        kinds = KIND_LISTS | ({} if row.base_url else {"xai": "xai-api-key"})  # elsewhere it would ask for Responses
        return kinds.get(row.provider_id, "")
    if "openai_chat" in provider.paths:
        return ""  # a compatible one
    if provider.paths.get("openai_responses") == "/responses":
        return "codex-api-key"
    return next((KIND_LISTS[protocol] for protocol in provider.paths if protocol in KIND_LISTS), "")


def _bare(base_url: str, field: str) -> str:
    """Return a base URL without the version that CLIProxyAPI appends itself."""
    return base_url.rstrip("/").removesuffix(APPENDED.get(field, ""))


def _pattern(row: PolicyRule) -> str:
    if row.kind == PolicyRule.Kind.REGEX or "*" in row.pattern:
        return row.pattern
    return f"^{re.escape(row.pattern)}$"  # a bare text would mean all names that begin with it


def _lists(row: PolicyRule, **names: str) -> dict[str, list[str]]:
    return {name: [*said] for field, name in names.items() if (said := lines_of(getattr(row, field)))}


def _is_derived(account_id: str) -> bool:
    """Tell whether an account's name was made of its secret, and will be again."""
    try:
        return UUID(account_id).version == 5
    except ValueError:
        return False


def _said(row: Any, **names: str) -> dict[str, Any]:
    return {name: value for field, name in names.items() if (value := getattr(row, field))}


def _aliases(found: list[ModelPreference]) -> dict[str, str]:
    return {row.name: row.alias_of for row in found if len(row.targets) == 1 and row.alias_enabled}


SHAPES: Mapping[str, Callable[[Token], Exported]] = {
    "keys": keys,
    "models": models,
    "policy": policy,
    "accounts": accounts,
    "cli-proxy": cli_proxy,
    "go-proxx": go_proxx,
}
YAML_SHAPES = frozenset({"cli-proxy", "go-proxx"})
