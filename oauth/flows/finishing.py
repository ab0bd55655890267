"""The last step of every sign-in under way: somebody's tokens become an account, once."""

import logging

from accounts.models import Credential
from oauth import keeping, pending
from oauth.models import OAuthAccount
from oauth.pending import PendingLogin
from oauth.providers import SignIn
from oauth.tokens import Tokens

log = logging.getLogger(__name__)

NOT_STORED = "The sign-in was good, but the account could not be stored; proxx's log says why. Begin again."


def finish(row: PendingLogin, sign_in: SignIn, tokens: Tokens) -> PendingLogin:
    """Store the account of a claimed sign-in, in place of the one that it is for if it is the same person's."""
    try:
        kept = keeping.keep(sign_in, tokens, replaces=account_of(row.replaces))
    except keeping.NotKept as fault:
        pending.fail(row, str(fault))
    except Exception:  # whatever it is: the row must not wait for it
        log.exception("An account of %s could not be stored.", sign_in.name)
        pending.fail(row, NOT_STORED)
    else:
        pending.finish(row, kept.account.credential, kept.sentence)
    return pending.fresh(row)


def account_of(credential: Credential | None) -> OAuthAccount | None:
    """Return the sign-in behind a credential, if there is one."""
    return OAuthAccount.objects.filter(credential=credential).first() if credential is not None else None
