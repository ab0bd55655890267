"""Refresh tokens that files bring, and renewal by hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.fields import reveal
from accounts.models import Credential
from oauth import held
from oauth.models import OAuthAccount
from routing import reload, seeding
from routing.moving import difference, recognise
from tests.upstreams.signin import Grant, Issuer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    held.keep_only(())
    reload.install(None)
    yield
    held.keep_only(())
    reload.install(None)


def write(path: Path, grant: Grant) -> None:
    one = {"id": "kim", "auth": "oauth_bearer", "access_token": grant.access, "refresh_token": grant.refresh}
    path.write_text(json.dumps({"providers": {"openai": [one]}}))


def test_a_file_brings_a_refresh_token_once_and_takes_no_renewal_back(
    issuer: Issuer, settings: Any, tmp_path: Path
) -> None:
    settings.PROXY_KEYS_FILE, grant = str(tmp_path / "keys.json"), issuer.grant(email="kim@example.com")
    write(tmp_path / "keys.json", grant)
    assert seeding.sync_credentials().created == 1
    account = OAuthAccount.objects.get()
    assert (account.email, account.opened_refresh_token().reveal()) == ("kim@example.com", grant.refresh)
    call_command("refresh_sign_ins")
    renewed = reveal(Credential.objects.get())
    assert renewed.reveal() != grant.access
    assert seeding.sync_credentials().updated == 0
    assert reveal(Credential.objects.get()) == renewed
    again = issuer.grant(email="kim@example.com")
    write(tmp_path / "keys.json", again)
    assert seeding.sync_credentials().updated == 1
    account = OAuthAccount.objects.get()
    assert (account.version, account.opened_refresh_token().reveal()) == (3, again.refresh)
    assert reveal(Credential.objects.get()).reveal() == again.access
    assert issuer.reused == 0


def test_tokens_are_renewed_by_hand_and_counted(issuer: Issuer, capsys: Any, settings: Any, tmp_path: Path) -> None:
    settings.PROXY_KEYS_FILE = str(tmp_path / "keys.json")
    write(tmp_path / "keys.json", issuer.grant())
    seeding.sync_credentials()
    OAuthAccount.objects.update(failures=4)
    call_command("refresh_sign_ins", "kim")
    assert "1 of 1 renewed, 0 not." in capsys.readouterr().out
    assert (OAuthAccount.objects.get().version, OAuthAccount.objects.get().failures) == (2, 0)


def test_accounts_of_multicodex_come_with_their_refresh_tokens(issuer: Issuer) -> None:
    grant = issuer.grant(email="kim@example.com")
    one = {"id": "kim", "provider": "openai", "accessToken": grant.access, "refreshToken": grant.refresh}
    text = json.dumps({"accounts": [one], "modelAliases": [], "settings": {}})
    found = recognise.read(text, "accounts.json", difference.known_now())
    told = difference.between([found])
    assert grant.refresh not in str(told.changes) + str(told.notes)
    difference.write(told)
    assert OAuthAccount.objects.get().opened_refresh_token().reveal() == grant.refresh
    assert difference.between([found]).writes == 0
