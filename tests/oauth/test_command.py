"""Connecting an account from a terminal."""

import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from oauth.management.commands import oauth_login
from oauth.models import OAuthAccount
from tests.oauth.people import agree
from tests.upstreams.signin_pages import IssuerWithPages

pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(settings):
    with IssuerWithPages() as issuer:
        for name, value in issuer.environment.items():
            setattr(settings, name, value)
        yield issuer


def test_a_code_is_shown_and_waited_for(issuer, capsys, monkeypatch):
    def agreed_meanwhile(seconds):
        issuer.approve(next(iter(issuer.devices.values())).user_code, email="kim@example.com")

    monkeypatch.setattr(oauth_login.time, "sleep", agreed_meanwhile)
    call_command("oauth_login", "openai")
    said = capsys.readouterr().out
    assert next(iter(issuer.devices.values())).user_code in said
    assert "kim@example.com is connected." in said
    assert OAuthAccount.objects.get().refresh_token not in said
    assert AuditEntry.objects.filter(actor_name="oauth_login").exists()


def test_an_address_is_pasted(issuer, capsys, monkeypatch):
    def paste(_):
        return agree(capsys.readouterr().out.split()[3])

    monkeypatch.setattr("builtins.input", paste)
    call_command("oauth_login", "openai", "--paste")
    assert OAuthAccount.objects.get().email == "kim@example.com"


def test_files_and_lists_are_read_from_paths(issuer, tmp_path, capsys):
    grant, other = issuer.grant(subject="user-1"), issuer.grant(email="kim@example.com", workspace="ws-1")
    key, iv = os.urandom(32), os.urandom(16)
    sealed = AESGCM(key).encrypt(iv, json.dumps({"access_token": grant.access}).encode(), None)
    parts = (iv, sealed[-16:], sealed[:-16])
    data, lock, many = tmp_path / "auth.v2.file", tmp_path / "auth.v2.key", tmp_path / "auth.json"
    data.write_text(":".join(base64.b64encode(part).decode() for part in parts))
    lock.write_text(base64.b64encode(key).decode())
    many.write_text(json.dumps({"tokens": {"access_token": other.access, "refresh_token": other.refresh}}))
    call_command("oauth_login", "factory", "--files", str(data), str(lock))
    call_command("oauth_login", "openai", "--import", str(many))
    assert {one.sign_in for one in OAuthAccount.objects.all()} == {"factory", "openai"}


def test_what_comes_to_nothing_is_told_in_one_sentence(issuer, tmp_path):
    for arguments in (["nobody"], ["openai", "--import", str(tmp_path / "no-such-file")], ["openai", "--account", "x"]):
        with pytest.raises(CommandError):
            call_command("oauth_login", *arguments)
    assert not OAuthAccount.objects.exists()
