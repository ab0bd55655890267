"""The last step of every sign-in under way: somebody's tokens become an account, once."""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Credential
from oauth import keeping, pending
from oauth.models import OAuthAccount
from oauth.pending import PendingLogin
from oauth.providers import SignIn
from oauth.tokens import Tokens

log = logging.getLogger(__name__)

NOT_STORED = "The sign-in was good, but the account could not be stored; proxx's log says why. Begin again."


def finish(row: PendingLogin, sign_in: SignIn, tokens: Tokens) -> PendingLogin:
    """Store the account of a claimed sign-in, in place of the one that it is for if it is the same person's.

    Account and row change together or not at all: what the row says of it is so.
    """
    try:
        with transaction.atomic():
            audit.lock()  # before every other lock: who deletes an account holds it, and then changes its sign-ins
            if pending.still_claimed(row):
                kept = keeping.keep(sign_in, tokens, replaces=account_of(row.replaces_id))
                pending.finish(row, kept.account.credential, kept.sentence)
    except keeping.NotKept as fault:
        pending.fail(row, str(fault))
    except Exception:  # whatever it is: the row must not wait for it
        log.exception("An account of %s could not be stored.", sign_in.name)
        pending.fail(row, NOT_STORED)
    return pending.fresh(row)


def account_of(credential_id: UUID | None) -> OAuthAccount | None:
    """Return the sign-in behind a credential, if there is (still) one."""
    return OAuthAccount.objects.filter(credential_id=credential_id).first() if credential_id is not None else None


def known(sign_in: SignIn, credential_id: UUID) -> Credential | None:
    """Return a credential that somebody may sign in to again there; nothing for another provider's."""
    theirs = Q(sign_in__sign_in=sign_in.name) | Q(sign_in=None, provider_id=sign_in.provider_id)
    return Credential.objects.filter(theirs, pk=credential_id, kind=Credential.Kind.OAUTH_BEARER).first()
