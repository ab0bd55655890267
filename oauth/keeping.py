"""keep(): what becomes of tokens that somebody has signed in for: a credential with its account, new or renewed.

An account that is known already (by what its tokens say of themselves) gets the new tokens; several people of one
workspace stand side by side. Signing in again replaces an account only if it is the same person. These are changes
of an operator's: the configuration's number rises and the audit hears of it. Renewal is refresh.py, which does neither.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.fields import reveal
from accounts.models import Credential
from oauth import providers
from oauth.identity import Identity, identity_of, storage_id
from oauth.models import OAuthAccount
from oauth.providers import SignIn
from oauth.tokens import Tokens
from proxx.kit import clock, sealing
from proxx.kit.sealing import Secret
from proxx.upstream import auth

UNNAMED = "This account"
OFF = " It is switched off, as before: no call uses it until it is switched on."
UNCHECKED = " Nothing in its tokens says whose they are; its first call will tell whether the provider takes them."


class NotKept(ValueError):
    """These tokens cannot be kept; the text is one sentence for the operator, without any of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a sign-in. `replaced`: an account that was there has new tokens. `sentence` says it in words."""

    account: OAuthAccount
    replaced: bool
    sentence: str


def keep(
    sign_in: SignIn,
    tokens: Tokens,
    *,
    replaces: OAuthAccount | None = None,
    label: str = "",
    base_url: str = "",
    who: Identity | None = None,
) -> Kept:
    """Store tokens as a credential with its account; raise `NotKept`. Blocking.

    `replaces` is the account that somebody signs in to again. `label` and `base_url` are for a new credential, `who`
    is for tokens that say nothing of whom they belong to.
    """
    if not auth.travels(tokens.access.reveal()) or not tokens.access:
        raise NotKept("The access token cannot travel in a header: it holds a control character or one outside ASCII.")
    if tokens.expires_at is not None and tokens.expires_at <= clock.unix() and not tokens.refresh:
        raise NotKept("The token has ended already, and there is none to renew it with.")
    if replaces is not None and replaces.sign_in != sign_in.name:
        raise NotKept("The account to sign in to again is another provider's.")
    found = who or identity_of(sign_in, tokens)
    with transaction.atomic():
        audit.lock()  # before every other lock; so the same person who signs in twice at once is one account
        credential, is_known, sentence = _credential_for(sign_in, found, replaces)
        _write_credential(credential, found, tokens, label=label, base_url=base_url)
        account = _write_account(sign_in, credential, found, tokens)
    return Kept(account, is_known, sentence or _told(account, is_known=is_known))


def take_over(credential: Credential, refresh_token: Secret) -> OAuthAccount | None:
    """Give a credential from a file the sign-in behind it; nothing if its provider has none that proxx knows.

    The credential keeps its name: the file's own is how it is found again. Its secret is the access token, and not
    stored anew. What `is_known` says must be asked first: a file that stays as it is brings a used token again.
    """
    sign_in = providers.of_provider(credential.provider_id)
    if sign_in is None or not refresh_token:
        return None
    tokens = Tokens(reveal(credential), refresh_token)
    return _write_account(sign_in, credential, identity_of(sign_in, tokens), tokens)


def is_known(credential: Credential, refresh_token: Secret) -> bool:
    """Tell whether the credential's sign-in is the one that came with this refresh token (or with any, if none is
    given): then its own tokens are younger than the file's."""
    account = OAuthAccount.objects.filter(credential_id=credential.pk).first()
    return account is not None and (not refresh_token or account.origin == sealing.digest(refresh_token.reveal()))


def _credential_for(sign_in: SignIn, found: Identity, replaces: OAuthAccount | None) -> tuple[Credential, bool, str]:
    """Return the credential to write, whether it was there before, and a sentence if there is more to say."""
    name = storage_id(sign_in, found)
    of_that_name = Q(provider_id=sign_in.provider_id, account_id=name)
    _lock_accounts(of_that_name, replaces)
    rows = Credential.objects.select_for_update()
    known = rows.filter(of_that_name).first()
    old = rows.filter(pk=replaces.credential_id).first() if replaces is not None else None
    if replaces is None or old is None:  # deleted meanwhile: whoever signed in is new
        return (known, True, "") if known is not None else (_new(sign_in, name), False, "")
    if not found.is_same(replaces.subject, replaces.email, old.chatgpt_account_id):
        said = f"{_name(found)} is somebody else than {replaces}: both accounts are kept."
        return (known, True, said) if known is not None else (_new(sign_in, name), False, said)
    if known is not None and known.pk != old.pk:
        known.delete()  # the same person twice: the older row stays, with its name, its rank and its history
    old.account_id = name
    return old, True, ""


def _lock_accounts(of_that_name: Q, replaces: OAuthAccount | None) -> None:
    """Lock accounts before their credentials, in the order of who stores renewed tokens or deletes a credential."""
    theirs = Q(credential__in=Credential.objects.filter(of_that_name))
    if replaces is not None:
        theirs |= Q(pk=replaces.pk)
    list(OAuthAccount.objects.select_for_update().filter(theirs).order_by("pk"))


def _new(sign_in: SignIn, name: str) -> Credential:
    return Credential(provider_id=sign_in.provider_id, account_id=name)


def _write_credential(row: Credential, found: Identity, tokens: Tokens, *, label: str, base_url: str) -> None:
    row.kind = Credential.Kind.OAUTH_BEARER
    row.secret = tokens.access.reveal()
    row.expires_at = None if tokens.expires_at is None else datetime.fromtimestamp(tokens.expires_at, UTC)
    row.chatgpt_account_id = found.workspace or row.chatgpt_account_id
    row.plan_type = found.plan or row.plan_type
    row.label = row.label or label[:120] or _name(found)[:120]
    row.base_url = row.base_url or base_url
    row.save()


def _write_account(sign_in: SignIn, credential: Credential, found: Identity, tokens: Tokens) -> OAuthAccount:
    account = OAuthAccount.objects.select_for_update().filter(credential=credential).first()
    if account is None:
        account = OAuthAccount(credential=credential, version=0)
    account.credential = credential
    account.sign_in = sign_in.name
    account.subject, account.email = found.subject or account.subject, found.email or account.email
    account.refresh_token = tokens.refresh.reveal()
    account.origin = sealing.digest(tokens.refresh.reveal()) if tokens.refresh else ""
    account.version += 1
    account.state, account.fault = OAuthAccount.State.WORKING, ""
    account.failures, account.retry_at = 0, None
    account.refreshed_at = account.signed_in_at = clock.now()
    account.claim, account.claimed_until, account.sent = None, None, False
    account.save()
    return account


def _name(found: Identity) -> str:
    return found.email or found.workspace or found.subject or UNNAMED


def _told(account: OAuthAccount, *, is_known: bool) -> str:
    name = account.email or account.credential.chatgpt_account_id or account.credential.label
    unknown = "" if account.email or account.subject else UNCHECKED
    done = "is signed in again" if is_known else "is connected"
    end = "" if account.refresh_token else " It cannot be renewed: there was no refresh token."
    off = "" if account.credential.enabled else OFF
    return f"{name} {done}.{end}{off}{unknown}"
