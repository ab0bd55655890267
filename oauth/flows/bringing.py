"""Sign-ins that were made elsewhere become accounts: typed tokens, lists of them, the files of Factory's CLI."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from accounts.models import Credential
from oauth import keeping, tokens
from oauth.flows import factory_files
from oauth.flows.brought import Brought
from oauth.flows.finishing import account_of
from oauth.flows.running import run
from oauth.identity import identity_of
from oauth.providers import SignIn
from oauth.tokens import Tokens
from proxx.kit.sealing import Secret

LONGEST_TOKEN = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account: its credential, or nothing, and a sentence."""

    place: str
    credential: Credential | None
    sentence: str


def typed(access: str, refresh: str) -> Brought:
    """Return what somebody typed; raise `ValueError` with a sentence."""
    access, refresh = access.strip(), refresh.strip()
    if not access and not refresh:
        raise ValueError("Give an access token, a refresh token, or both.")
    for token in (access, refresh):
        if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("A token holds no spaces, line breaks or other characters that no header takes.")
    return Brought("this account", Secret(access), Secret(refresh), Secret(""))


def of_files(data: str, key: str) -> Brought:
    """Return what Factory's files hold; raise `factory_files.FilesFault`."""
    said = factory_files.read(data, key)
    return typed(said["access_token"], said.get("refresh_token", ""))


def keep(sign_in: SignIn, brought: Iterable[Brought], *, again: Credential | None = None) -> list[Outcome]:
    """Store accounts, each by itself: one that cannot be stored keeps none of the others out; blocking."""
    return [_keep(sign_in, one, again) for one in brought]


def _keep(sign_in: SignIn, one: Brought, again: Credential | None) -> Outcome:
    try:
        found = _tokens(sign_in, one)
        who = identity_of(sign_in, found)
        who = replace(who, email=who.email or one.email, workspace=who.workspace or one.workspace)
        kept = keeping.keep(sign_in, found, replaces=account_of(again.pk if again is not None else None), who=who)
    except (tokens.Refused, tokens.Unreachable) as fault:
        return Outcome(one.place, None, fault.message)
    except keeping.NotKept as fault:
        return Outcome(one.place, None, str(fault))
    return Outcome(one.place, kept.account.credential, kept.sentence)


def _tokens(sign_in: SignIn, one: Brought) -> Tokens:
    """Return the tokens as an issuer would have said them; with a refresh token alone, ask for an access token."""
    if not one.access:
        found = run(tokens.renew(sign_in, one.refresh))
        return found if found.refresh else replace(found, refresh=one.refresh)
    said = {"access_token": one.access.reveal(), "refresh_token": one.refresh.reveal()}
    found = tokens.read({**said, "id_token": one.id_token.reveal()})
    ends = one.expires_at.timestamp() if one.expires_at is not None else found.expires_at
    return replace(found, expires_at=ends)
