"""Which models are configuration: every save, deletion and m2m change of them raises the revision.

Inside a transaction the number is raised *before* the row is written, so that two editors queue at one row instead of
deadlocking over two. Outside one it is raised after: a process that hears the number must find the row.
"""

from typing import Any

from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from accounts.models import ApiKey, Credential, Limit, Profile, Tenant
from oauth.leases import given_up
from oauth.models import OAuthAccount
from routing import revision, rows

# CatalogModel is written in bulk by catalog/refresh.py, which raises the number itself, and only if a list changed;
# its signals are wired for the rare hand that edits a row.
from routing.models import (
    CatalogModel,
    FactSetting,
    Listener,
    ModelExclusion,
    ModelPreference,
    PolicyRule,
    ProviderSetting,
)

WATCHED: tuple[type[models.Model], ...] = (
    Tenant,
    ApiKey,
    Profile,
    Limit,
    Credential,
    OAuthAccount,
    ModelPreference,
    ModelExclusion,
    PolicyRule,
    ProviderSetting,
    Listener,
    FactSetting,
    CatalogModel,
)


def connect() -> None:
    """Hear every change of the watched models; calling it again changes nothing."""
    for model in WATCHED:
        for signal in (pre_save, pre_delete):
            signal.connect(_before, sender=model, dispatch_uid=f"revision-before-{model.__name__}")
        for signal in (post_save, post_delete):
            signal.connect(_after, sender=model, dispatch_uid=f"revision-after-{model.__name__}")
        for relation in model._meta.many_to_many:
            m2m_changed.connect(_linked, sender=relation.remote_field.through, dispatch_uid=f"revision-{relation}")
    given_up.connect(_signed_out, dispatch_uid="revision-signed-out")
    for signal in (post_save, post_delete):
        signal.connect(rows.credential_changed, sender=Credential, dispatch_uid="routing-provider-row-follows")


def _before(using: str, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002 - Django's signature
    if not raw and transaction.get_connection(using).in_atomic_block:
        revision.raise_number()


def _after(using: str, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002 - Django's signature
    if raw or not transaction.get_connection(using).in_atomic_block:
        revision.raise_number()


def _signed_out(**_: Any) -> None:
    # Tokens come and go unheard; that an account has none any more is told in the picture.
    revision.raise_number()


def _linked(action: str, **_: Any) -> None:
    # Before, too; a link is written inside a transaction of its own.
    if action.startswith("pre_"):
        revision.raise_number()
