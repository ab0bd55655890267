"""Workspaces of ChatGPT accounts that are gone: the account is asked without the one that it names, and if that works
it stays so, here at once and everywhere through the database.

The account may still have a plan of its own; only the provider's word says that its workspace is gone.
"""

import logging
from uuid import UUID

from accounts.asking import Asker, TooManyWaiting
from accounts.models import Credential
from oauth.plan_usage import WORKSPACE_CODES
from proxx.upstream.failures import Failure
from routing.plan import Candidate

log = logging.getLogger(__name__)

_asker = Asker("workspaces", waiting_limit=100)
_left: dict[UUID, str] = {}  # account -> the workspace that it is no member of
_settled: set[UUID] = set()  # those of which that is stored, or about to be


def named(candidate: Candidate) -> str:
    """Return the workspace to ask with; empty if there is none, or none any more."""
    credential = candidate.credential
    if credential is None or not (workspace := credential.chatgpt_account_id):
        return ""
    return "" if _left and _left.get(credential.id) == workspace else workspace


def leave(candidate: Candidate, failure: Failure) -> bool:
    """Take in that a workspace is gone; tell whether the account can be asked once more, without it."""
    if not is_gone(failure) or candidate.credential is None or not (workspace := named(candidate)):
        return False
    _left[candidate.credential.id] = workspace
    _settled.discard(candidate.credential.id)
    return True


def is_gone(failure: Failure) -> bool:
    """Tell whether a failure says that the workspace is gone."""
    return failure.code in WORKSPACE_CODES or failure.message in WORKSPACE_CODES


def settle(candidate: Candidate) -> None:
    """Keep for good that the account answers without its workspace. Returns at once."""
    credential = candidate.credential
    if not _left or credential is None or credential.id not in _left or credential.id in _settled:
        return
    _settled.add(credential.id)
    try:
        _asker.ask(lambda: forget(credential.id, credential.chatgpt_account_id)).add_done_callback(_said)
    except TooManyWaiting:
        log.warning("A workspace that is gone could not be noted.")


def forget(key: UUID, workspace: str = "") -> None:
    """Store that an account has no workspace any more (of that name, if one is given). Blocking."""
    rows = Credential.objects.filter(pk=key).exclude(chatgpt_account_id="")
    for row in rows.filter(chatgpt_account_id=workspace) if workspace else rows:
        row.chatgpt_account_id = ""
        row.save(update_fields=["chatgpt_account_id"])


def _said(done: object) -> None:
    fault = done.exception()  # type: ignore[attr-defined]
    if fault is not None:
        log.warning("A workspace that is gone could not be noted: %s", fault)
