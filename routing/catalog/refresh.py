"""refresh(): ask the providers that can be called for their models and store what they say.

Runs beside the calls, on a loop of its own (Celery, a command, list_watch.py's thread). A provider that does not
answer in time keeps its last list, which grows old and then proves nothing; nobody waits for it, and it works without
any network.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from oauth import readiness
from oauth import refresh as renewal
from proxx.kit import fastjson
from proxx.upstream import auth, client, codex, failures
from proxx.upstream.message import HeaderList, Timeouts, UpstreamRequest
from routing.addresses import join_url
from routing.catalog.merge import Look, store
from routing.catalog.sources import MODELS_AT_MOST, CatalogFault, Listed, next_page, parse
from routing.providers import Provider
from routing.snapshot import CredentialView, Snapshot, build

log = logging.getLogger(__name__)

TRANSPORT_FAULTS = tuple(fault for fault, _ in failures.EXCEPTIONS)

ANSWER_LIMIT = 16 * 1024 * 1024
AT_ONCE = 8
# A provider with hundreds of accounts is not asked by all of them.
ACCOUNTS_ASKED = 3
# A list that has no end is a fault of the other side.
PAGES_AT_MOST = 50


def refresh(provider_ids: Collection[str] | None = None) -> list[Look]:
    """Look at the lists of these providers (all that can be called, if none are named) and store them; blocking."""
    looks = asyncio.run(look_at(build(), provider_ids))
    changed = store(looks)
    faults = sum(bool(look.fault) for look in looks)
    log.info("Looked at %d model lists: %d faults, %s.", len(looks), faults, "changed" if changed else "no change")
    return looks


async def look_at(snapshot: Snapshot, provider_ids: Collection[str] | None = None) -> list[Look]:
    """Ask the providers, several at once, each within its limit; afterwards close the running loop's connections."""
    gate = asyncio.Semaphore(AT_ONCE)
    wanted = [one for one in snapshot.order if provider_ids is None or one in provider_ids]
    try:
        looks = await asyncio.gather(*(_look(snapshot, provider_id, gate) for provider_id in wanted))
    finally:
        await renewal.finish()
        await client.close_all()
    return [look for look in looks if look is not None]


async def _look(snapshot: Snapshot, provider_id: str, gate: asyncio.Semaphore) -> Look | None:
    provider = snapshot.providers[provider_id]
    ways = doors(provider, snapshot.credentials.get(provider_id, ()))
    if not ways:
        return None
    async with gate:
        try:
            async with asyncio.timeout(settings.CATALOG_ROUTE_TIMEOUT):
                return await _ask_doors(provider, ways)
        except TimeoutError:
            return Look(provider_id, fault="The provider did not answer in time.")
        except Exception:  # whatever one provider answers, the lists of the others are kept
            log.exception("The list of models of %s could not be read.", provider_id)
            return Look(provider_id, fault="The answer could not be read.")


def doors(
    provider: Provider, credentials: Sequence[CredentialView]
) -> dict[str, list[tuple[CredentialView | None, tuple[str, ...]]]]:
    """Return who may ask where: for each base URL that lists models, its first few accounts."""
    found: dict[str, list[tuple[CredentialView | None, tuple[str, ...]]]] = {}
    for credential in credentials or (None,):
        is_oauth = credential is not None and credential.kind == "oauth_bearer"
        base = provider.base_for(oauth=is_oauth, own=credential.base_url if credential else "")
        paths = provider.models_paths_at(base)
        if base and paths and len(found.get(base, ())) < ACCOUNTS_ASKED:
            found.setdefault(base, []).append((credential, paths))
    return found


async def _ask_doors(provider: Provider, ways: dict[str, list[tuple[CredentialView | None, tuple[str, ...]]]]) -> Look:
    """Join the lists of all base URLs; of one base URL the first account that gets an answer wins.

    Where a list is the account's own, as a plan's models are, what several accounts are told is joined.
    """
    found: dict[str, Listed] = {}
    fault = ""
    for base, askers in ways.items():
        for credential, paths in askers:
            models, said = await _ask_paths(provider, base, credential, paths)
            fault = fault or said
            for listed in models:
                found.setdefault(listed.model_id.lower(), listed)
            if models and provider.lists_all_at(base):
                break
    return Look(provider.id, tuple(found.values()), "" if found else fault)


async def _ask_paths(
    provider: Provider, base: str, credential: CredentialView | None, paths: tuple[str, ...]
) -> tuple[list[Listed], str]:
    fault = ""
    for path in paths:
        models, fault = await _ask(provider, base, path, credential)
        if models:
            return models, ""
    return [], fault


async def _ask(provider: Provider, base: str, path: str, credential: CredentialView | None) -> tuple[list[Listed], str]:
    """Return the models of a list, page by page, or a fault; a page that fails makes the whole list fail."""
    url = join_url(base, path).replace("{client_version}", quote(settings.MODELS_CLIENT_VERSION, safe=""))
    found: dict[str, Listed] = {}
    asked = url
    try:
        if credential is not None and credential.sign_in and await readiness.made_good(credential.id) is None:
            return [], readiness.ENDED
        headers = _headers(provider, base, credential)
        for _ in range(PAGES_AT_MOST):
            page = await _page(asked, headers)
            for listed in parse(page):
                found.setdefault(listed.model_id.lower(), listed)
            more = next_page(page)
            if more is None or len(found) >= MODELS_AT_MOST:
                break
            asked = f"{url}{'&' if '?' in url else '?'}{urlencode([more])}"
        return list(found.values()), "" if found else "The list is empty."
    except CatalogFault as fault:
        return [], str(fault)
    except ValueError:
        return [], "The answer is not JSON."
    except TRANSPORT_FAULTS as fault:
        return [], failures.from_exception(fault).message


async def _page(url: str, headers: HeaderList) -> Any:
    limit = settings.CATALOG_ROUTE_TIMEOUT
    request = UpstreamRequest("GET", client.url(url), headers, b"", Timeouts(limit, limit, limit))
    response = await client.send(request)
    try:
        body = await response.read(ANSWER_LIMIT)
    finally:
        await response.aclose()
    if response.status != 200:
        raise CatalogFault(f"The provider answered {response.status}.")
    return fastjson.loads_damaged(body)


def _headers(provider: Provider, base: str, credential: CredentialView | None) -> HeaderList:
    headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity")]
    who = dict(codex.usual()) if codex.QUIRK in provider.quirks_at(base) else {b"user-agent": b"proxx"}
    headers += (who | {name.lower().encode(): value.encode() for name, value in provider.headers}).items()
    if credential is not None and credential.secret:
        headers += auth.headers(provider.auth, credential.secret.reveal())
    if credential is not None:
        headers += auth.workspace(credential.chatgpt_account_id)
    return headers
