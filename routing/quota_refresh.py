"""refresh(): ask the accounts whose provider can be asked how much of their plan is left, and store what they say.

Runs beside the calls, on a loop of its own (Celery, the console's button). Who was asked within the last minutes is
left out, unless an operator wishes.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from accounts.models import Credential
from oauth import plan_usage, readiness
from oauth import refresh as renewal
from oauth.plan_usage import PlanUsage, UsageUnknown
from proxx.kit import clock
from proxx.upstream import client, codex
from routing import quota_share, quota_store, workspaces
from routing.models import QuotaStanding
from routing.providers import Provider
from routing.quota import Standing
from routing.snapshot import CredentialView, build

log = logging.getLogger(__name__)

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking one account brought: its usage, or a sentence on why there is none."""

    credential: CredentialView
    usage: PlanUsage | None
    fault: str = ""


def refresh(credential_ids: Collection[UUID] | None = None, *, forced: bool = False) -> list[Answer]:
    """Ask these accounts (all that can be asked, if none are named), store and tell what they say; blocking."""
    wanted = [pair for pair in _askable() if credential_ids is None or pair[1].id in credential_ids]
    if not forced:
        young = clock.now() - timedelta(seconds=settings.PROXY_QUOTA_CACHE)
        asked = QuotaStanding.objects.filter(tried_at__gt=young).values_list("credential_id", flat=True)
        recent = set(asked)
        wanted = [pair for pair in wanted if pair[1].id not in recent]
    answers = asyncio.run(_ask_all(wanted)) if wanted else []
    heard = {
        one.credential.id: Standing(one.usage, clock.unix(), QuotaStanding.Source.ASKED.value)
        for one in answers
        if one.usage is not None
    }
    quota_store.save(heard)
    for one in answers:
        quota_store.note_try(one.credential.id, one.fault)
        if one.usage is not None and one.usage.wrong_workspace:
            workspaces.forget(one.credential.id)
    quota_share.tell(heard)
    if answers:
        log.info("Asked %d accounts for their quota: %d faults", len(answers), len(answers) - len(heard))
    return answers


def style_of(provider: Provider, credential: CredentialView) -> str:
    """Return how this account is asked, by name; empty if it cannot be."""
    base = provider.base_for(oauth=credential.kind == Credential.Kind.OAUTH_BEARER, own=credential.base_url)
    style = next((one for one in provider.quota if one in plan_usage.STYLES), "")
    if not base or (style == "codex" and codex.QUIRK not in provider.quirks_at(base)):
        return ""
    return style


def askable(key: UUID) -> tuple[Provider, CredentialView, str] | None:
    """Return an account as it is asked (its provider, itself, the style), nothing if it cannot be asked."""
    return next((one for one in _askable() if one[1].id == key), None)


def _askable() -> list[tuple[Provider, CredentialView, str]]:
    picture = build()
    return [
        (provider, credential, style)
        for provider_id, held in picture.credentials.items()
        for credential in held
        if (style := style_of(provider := picture.providers[provider_id], credential))
    ]


async def _ask_all(wanted: list[tuple[Provider, CredentialView, str]]) -> list[Answer]:
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        return await asyncio.gather(*(_ask(*one, gate) for one in wanted))
    finally:
        await renewal.finish()
        await client.close_all()


async def _ask(provider: Provider, credential: CredentialView, style: str, gate: asyncio.Semaphore) -> Answer:
    seconds = settings.PROXY_QUOTA_TIMEOUT
    base = provider.base_for(oauth=credential.kind == Credential.Kind.OAUTH_BEARER, own=credential.base_url)
    async with gate:
        if credential.sign_in and await readiness.made_good(credential.id) is None:
            return Answer(credential, None, readiness.ENDED)
        try:
            async with asyncio.timeout(seconds):
                usage = await plan_usage.ask(
                    style,
                    base_url=base,
                    secret=credential.secret.reveal(),
                    account_id=credential.chatgpt_account_id,
                    seconds=seconds,
                )
        except UsageUnknown as fault:
            return Answer(credential, None, str(fault))
        except TimeoutError:
            return Answer(credential, None, "The provider did not answer in time.")
    return Answer(credential, usage)
