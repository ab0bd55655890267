"""What becomes of tokens that somebody signed in for."""

from typing import Any

import pytest

from accounts.fields import reveal
from accounts.models import AuditEntry, Credential
from oauth import providers
from oauth.identity import Identity, identity_of, storage_id
from oauth.keeping import NotKept, keep
from oauth.models import OAuthAccount
from oauth.tokens import Tokens, read
from proxx.kit.sealing import Secret
from routing import revision
from tests.upstreams.signin import AUTH, PROFILE, Issuer, jwt

pytestmark = pytest.mark.django_db


def signed_in(issuer: Issuer, **person: Any) -> Tokens:
    grant = issuer.grant(**person)
    said = {"access_token": grant.access, "refresh_token": grant.refresh, "id_token": grant.id_token}
    return read({**said, "expires_in": 3600})


def test_a_sign_in_becomes_a_credential_with_its_account(issuer: Issuer) -> None:
    before = revision.number()
    tokens = signed_in(issuer, email="Kim@Example.com", workspace="ws-1", plan="Pro")
    kept = keep(providers.get("openai"), tokens)
    row = Credential.objects.get()
    assert (row.provider_id, row.kind, row.chatgpt_account_id, row.plan_type) == (
        "openai",
        "oauth_bearer",
        "ws-1",
        "pro",
    )
    assert (row.label, kept.account.email, kept.replaced) == ("kim@example.com", "kim@example.com", False)
    assert reveal(row) == tokens.access
    assert OAuthAccount.objects.get().opened_refresh_token() == tokens.refresh
    assert "kim@example.com is connected." in kept.sentence
    assert revision.number() > before
    told = " ".join(AuditEntry.objects.values_list("changes", flat=True))
    assert tokens.refresh.reveal() not in told
    assert tokens.access.reveal() not in told


def test_tokens_that_name_nobody_are_said_to_be_unchecked() -> None:
    kept = keep(providers.get("openai"), read({"access_token": "abc.def"}))
    assert kept.sentence.startswith("This account is connected.")
    assert "its first call will tell" in kept.sentence


def test_two_people_of_one_workspace_stand_side_by_side_and_one_comes_back(issuer: Issuer) -> None:
    entry = providers.get("openai")
    for subject in ("user-1", "user-2", "user-1"):
        keep(entry, signed_in(issuer, subject=subject, email=f"{subject}@example.com", workspace="ws-1"))
    assert Credential.objects.count() == 2
    assert sorted(OAuthAccount.objects.values_list("version", flat=True)) == [1, 2]


def test_signing_in_again_replaces_the_same_person_only(issuer: Issuer) -> None:
    entry = providers.get("openai")
    old = keep(entry, signed_in(issuer, subject="", email="kim@example.com", workspace="ws-1")).account
    old.state = OAuthAccount.State.SIGN_IN_AGAIN
    old.save()
    other = keep(entry, signed_in(issuer, email="sam@example.com", workspace="ws-1"), replaces=old)
    assert not other.replaced
    assert "both accounts are kept" in other.sentence
    again = keep(entry, signed_in(issuer, subject="user-9", email="KIM@example.com", workspace="ws-1"), replaces=old)
    assert again.replaced
    assert again.account.credential_id == old.credential_id
    assert again.account.state == OAuthAccount.State.WORKING
    assert OAuthAccount.objects.count() == 2


def test_an_account_without_name_is_replaced_by_its_workspace(issuer: Issuer) -> None:
    entry = providers.get("openai")
    first = keep(entry, signed_in(issuer, subject="", email="", workspace="ws-1")).account
    assert first.credential.account_id == "ws-1"
    again = keep(entry, signed_in(issuer, subject="user-1", workspace="ws-1"), replaces=first)
    assert again.replaced
    assert Credential.objects.get().account_id != "ws-1"


def test_names_of_accounts_are_those_that_other_programs_give() -> None:
    entry = providers.get("openai")
    assert storage_id(entry, Identity(workspace="ws-1")) == "ws-1"
    # sha256("ws-1" NUL "sub:user-1") and, where there is no subject, of "email:..."
    assert storage_id(entry, Identity(workspace="ws-1", subject="user-1", email="a@b.c")) == "ws-1-11a8caa7d367"
    assert storage_id(entry, Identity(workspace="ws-1", email="a@b.c")).startswith("ws-1-")
    assert storage_id(providers.get("factory"), Identity(subject="user_01")) == "factory-user_01"


def test_who_it_is_stands_in_many_places() -> None:
    entry = providers.get("openai")

    def who(said: dict[str, Any], **claims: Any) -> Identity:
        return identity_of(entry, read({"access_token": jwt(claims), **said}))

    assert who({}, organizations=[{"id": "org-1"}]).workspace == "org-1"
    assert who({"chatgpt_account_id": "ws-0"}, **{AUTH: {"chatgpt_account_id": "ws-1"}}).workspace == "ws-0"
    assert who({}, **{PROFILE: {"email": "Kim@Example.com"}}).email == "kim@example.com"
    assert who({"id_token": jwt({"sub": "from-id"})}, sub="from-access").subject == "from-id"
    assert who({}, organizations=["odd"], email=7) == Identity()
    assert identity_of(entry, read({"access_token": "opaque.but.three"})) == Identity()
    factory = identity_of(providers.get("factory"), read({"access_token": "x", "user": {"id": "u", "email": "E@x.y"}}))
    assert (factory.subject, factory.email) == ("u", "e@x.y")


def test_what_cannot_be_sent_or_renewed_is_not_kept() -> None:
    entry = providers.get("openai")
    for tokens in (Tokens(Secret("bad\ntoken")), Tokens(Secret("")), Tokens(Secret("good"), expires_at=1.0)):
        with pytest.raises(NotKept):
            keep(entry, tokens)
    assert not Credential.objects.exists()
