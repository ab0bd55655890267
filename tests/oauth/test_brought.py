"""Sign-ins that were made elsewhere: typed tokens, lists in every tool's shape, the files of Factory's CLI."""

import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Credential, Operator
from oauth.flows import brought, factory_files
from oauth.models import OAuthAccount
from tests.upstreams.signin_pages import IssuerWithPages

BRING = "/console/connect/at/{0}/bring/"


@pytest.fixture
def issuer(settings):
    with IssuerWithPages() as issuer:
        for name, value in issuer.environment.items():
            setattr(settings, name, value)
        yield issuer


@pytest.fixture
def kim(client, db):
    client.force_login(Operator.objects.create_superuser("kim", password=None))
    return client


def closed(tokens, *, key=None, iv=16):
    """Return both files as the CLI writes them."""
    key, iv = key or os.urandom(32), os.urandom(iv)
    sealed = AESGCM(key).encrypt(iv, json.dumps(tokens).encode(), None)
    parts = (iv, sealed[-16:], sealed[:-16])
    return ":".join(base64.b64encode(part).decode() for part in parts), base64.b64encode(key).decode()


def test_factorys_files_are_opened_as_its_cli_closed_them():
    tokens = {"access_token": "at-1", "refresh_token": "rt-1"}
    data, key = closed(tokens)
    assert factory_files.read(f"{data}\n", f"{key}\n") == tokens


def spoiled():
    data, key = closed({"access_token": "at-1"})
    other = base64.b64encode(os.urandom(32)).decode()
    yield from ((data, other), (data, "short"), (data, base64.b64encode(b"x").decode()), ("a:b", key), ("", key))
    yield (data.replace(":", ";"), key)
    yield closed({"refresh_token": "rt-1"})
    yield closed(["at-1"])
    yield (data[:-6] + "AAAA==", key)


@pytest.mark.parametrize(("data", "key"), list(spoiled()), ids=range(9))
def test_files_that_do_not_belong_together_or_are_damaged_are_refused(data, key):
    with pytest.raises(factory_files.FilesFault, match=r"^[^{}]*\.$|three parts"):
        factory_files.read(data, key)


@pytest.mark.parametrize(
    "text",
    [
        '{"tokens": {"access_token": "at", "refresh_token": "rt", "account_id": "ws"}, "last_refresh": "2026-01-01"}',
        '[{"access_token": "at", "refresh_token": "rt", "account_id": "ws", "expired": "2026-01-01T00:00:00Z"}]',
        '{"accounts": [{"accessToken": "at", "refreshToken": "rt", "chatgptAccountId": "ws", "expiresAt": 176722560}]}',
    ],
)
def test_accounts_are_read_in_every_tools_shape(text):
    (one,) = brought.read(text)
    assert (one.access.reveal(), one.refresh.reveal(), one.workspace) == ("at", "rt", "ws")


@pytest.mark.parametrize("text", ["", "[]", "x", "[1]", "{}", '[{"access_token": "a b"}]', '{"accounts": []}'])
def test_what_holds_no_account_is_refused_without_repeating_it(text):
    with pytest.raises(brought.Unreadable) as refused:
        brought.read(text)
    assert "a b" not in str(refused.value)


def test_uploaded_files_of_factory_become_an_account(kim, issuer):
    grant = issuer.grant(email="kim@example.com", subject="user-1")
    data, key = closed({"access_token": grant.access, "refresh_token": grant.refresh})
    files = {"data": SimpleUploadedFile("auth.v2.file", data.encode()), "key": SimpleUploadedFile("k", key.encode())}
    answer = kim.post(BRING.format("factory"), {"what": "files", **files})
    credential = Credential.objects.get()
    assert answer["Location"] == f"/console/accounts/credential/{credential.pk}/change/"
    assert credential.account_id == "factory-user-1"
    assert OAuthAccount.objects.get().opened_refresh_token().reveal() == grant.refresh


def test_a_refresh_token_alone_is_renewed_at_once(kim, issuer):
    grant = issuer.grant(email="kim@example.com", workspace="ws-1")
    kim.post(BRING.format("openai"), {"what": "token", "refresh": grant.refresh})
    account = OAuthAccount.objects.get()
    assert account.opened_refresh_token().reveal() == grant.family.current != grant.refresh
    assert account.credential.chatgpt_account_id == "ws-1"


@pytest.mark.parametrize("said", [{}, {"access": "a b"}, {"access": "ü"}, {"refresh": "unknown-refresh-token"}])
def test_tokens_that_are_none_are_refused_with_nothing_stored_or_shown(kim, issuer, said):
    answer = kim.post(BRING.format("openai"), {"what": "token", **said})
    assert answer.status_code == 400
    assert b"unknown-refresh-token" not in answer.content
    assert not Credential.objects.exists()


def test_of_many_those_that_are_good_are_taken_and_the_others_are_told(kim, issuer):
    good = [issuer.grant(email=f"{name}@example.com", workspace="ws-1") for name in ("kim", "robin")]
    many = [{"access_token": one.access, "refresh_token": one.refresh} for one in good]
    many.append({"refresh_token": "gone", "email": "gone@example.com"})
    answer = kim.post(BRING.format("openai"), {"what": "many", "text": json.dumps(many)}, follow=True)
    assert "2 of 3 accounts are connected" in answer.content.decode()
    assert "gone@example.com: The issuer refused" in answer.content.decode()
    assert {one.label for one in Credential.objects.all()} == {"kim@example.com", "robin@example.com"}


def test_files_belong_to_factory_alone(kim, issuer):
    answer = kim.post(BRING.format("openai"), {"what": "files"})
    assert answer.status_code == 400
    assert b"Choose one of the ways" in answer.content
