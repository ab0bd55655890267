"""The credential page: secrets go in and never come out, and stay with their provider and address."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fields import reveal
from accounts.models import Credential
from routing import credential_admin  # noqa: F401 - registers the page
from routing.models import ConfigRevision, ProviderSetting

LIST = "/console/accounts/credential/"
SECRET = "sk-live-canary-0123456789-abcd"

pytestmark = pytest.mark.django_db


def fields(**changes):
    usual = {"provider_id": "openai", "label": "main", "kind": "api_key", "secret": SECRET, "base_url": ""}
    return {**usual, "priority": "100", "weight": "1", "at_once": "0", "enabled": "on", "account_id": "", **changes}


@pytest.fixture
def stored(db):
    return Credential.objects.create(provider_id="openai", label="main", secret=SECRET)


def page_of(credential, action="change"):
    return f"{LIST}{credential.pk}/{action}/"


def revision():
    return ConfigRevision.objects.values_list("number", flat=True).first()


def test_a_stored_secret_is_sealed_and_no_page_shows_more_than_its_tail(console):
    assert console.post(f"{LIST}add/", fields()).status_code == 302
    row = Credential.objects.get()
    assert (reveal(row).reveal(), row.last4, row.source) == (SECRET, "abcd", "console")
    for path in (LIST, page_of(row), page_of(row, "history"), page_of(row, "delete"), f"{LIST}?q=abcd"):
        page = console.get(path).content.decode()
        assert "canary" not in page
        assert row.secret not in page
        assert row.secret[:24] not in page
    assert "••••abcd" in console.get(page_of(row)).content.decode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert "canary" not in repr(cursor.fetchall()), table


def test_a_form_with_a_fault_does_not_give_the_secret_back(console):
    page = console.post(f"{LIST}add/", fields(priority="many"))
    assert page.status_code == 200
    assert "canary" not in page.content.decode()
    assert not Credential.objects.exists()


def test_an_empty_secret_keeps_the_stored_one(console, stored):
    before = stored.secret
    assert console.post(page_of(stored), fields(secret="", label="renamed")).status_code == 302
    stored.refresh_from_db()
    assert (stored.label, stored.secret) == ("renamed", before)


def test_a_typed_secret_replaces_the_stored_one_and_keeps_the_account(console, stored):
    account = stored.account_id
    console.post(page_of(stored), fields(secret="sk-another-secret-7777"))
    stored.refresh_from_db()
    assert (reveal(stored).reveal(), stored.last4, stored.account_id) == ("sk-another-secret-7777", "7777", account)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret": ""}, "Paste the key"),
        ({"secret": "two words"}, "no spaces"),
        ({"secret": "sk-schlüssel"}, "non-ASCII"),
        ({"secret": "proxx1.0a0a0a0a.AAAA"}, "sealed value"),
        ({"provider_id": "openai-compatible"}, "type where it listens"),
        ({"base_url": "ftp://example.com"}, "must begin with https"),
        ({"base_url": "https://user:secret@example.com"}, "user name or password"),
        ({"base_url": "https://example.com/?a=b"}, "query"),
        ({"provider_id": "no-such-provider"}, "Select a valid choice"),
    ],
)
def test_what_could_not_work_is_refused_with_a_sentence(console, changes, said):
    page = console.post(f"{LIST}add/", fields(**changes))
    assert said in page.content.decode()
    assert not Credential.objects.exists()


def test_the_same_secret_twice_is_refused_by_name(console, stored):
    page = console.post(f"{LIST}add/", fields(label="again"))
    assert "stored already, as “main”" in page.content.decode()
    assert console.post(f"{LIST}add/", fields(provider_id="groq")).status_code == 302


def test_a_stored_secret_stays_with_its_provider(console, stored):
    console.post(page_of(stored), fields(secret="", provider_id="groq"))
    stored.refresh_from_db()
    assert stored.provider_id == "openai"


def test_a_stored_secret_goes_to_another_address_only_if_typed_again(console, stored):
    page = console.post(page_of(stored), fields(secret="", base_url="https://elsewhere.example/v1"))
    assert "Type the secret again" in page.content.decode()
    stored.refresh_from_db()
    assert stored.base_url == ""
    console.post(page_of(stored), fields(base_url="https://elsewhere.example/v1"))
    stored.refresh_from_db()
    assert stored.base_url == "https://elsewhere.example/v1"
    # The same origin with another path is the same address.
    console.post(page_of(stored), fields(secret="", base_url="https://elsewhere.example/v2"))
    stored.refresh_from_db()
    assert stored.base_url == "https://elsewhere.example/v2"


def test_a_provider_without_keys_takes_a_credential_without_secret(console):
    answer = console.post(f"{LIST}add/", fields(provider_id="ollama", secret="", base_url="http://192.0.2.7:11434"))
    assert answer.status_code == 302
    row = Credential.objects.get()
    assert (row.secret, row.base_url) == ("", "http://192.0.2.7:11434")


def test_a_provider_without_an_address_takes_the_credentials_or_the_one_on_its_page(console):
    nowhere = {"provider_id": "openai-compatible", "secret": "sk-a-secret-0001"}
    console.post(f"{LIST}add/", fields(**nowhere))
    assert not Credential.objects.exists()
    assert console.post(f"{LIST}add/", fields(**nowhere, base_url="https://llm.example/v1")).status_code == 302
    row = Credential.objects.get()
    assert b"type where it listens" in console.post(page_of(row), fields(secret="")).content
    ProviderSetting.objects.filter(provider_id="openai-compatible").update(base_url="https://llm.example")
    assert console.post(page_of(row), fields(secret="")).status_code == 302


def test_an_operator_s_own_provider_can_be_chosen(console):
    ProviderSetting.objects.create(provider_id="house-llm", label="House LLM", base_url="https://llm.example")
    assert "House LLM" in console.get(f"{LIST}add/").content.decode()
    assert console.post(f"{LIST}add/", fields(provider_id="house-llm")).status_code == 302


def test_rows_that_follow_a_file_show_what_it_says_and_let_the_rest_be_changed(console, stored, settings):
    settings.DATABASE_URL = ""
    Credential.objects.update(source=Credential.Source.FILE)
    page = console.get(page_of(stored)).content.decode()
    assert 'name="secret"' not in page
    assert "••••abcd" in page
    before = stored.secret
    console.post(page_of(stored), fields(secret="sk-overwritten-000000", priority="5", base_url="https://x.example"))
    stored.refresh_from_db()
    assert (stored.priority, stored.secret, stored.base_url) == (5, before, "")


def test_with_a_database_of_its_own_every_row_can_be_edited(console, stored, settings):
    settings.DATABASE_URL = "postgres://somewhere"
    Credential.objects.update(source=Credential.Source.FILE)
    console.post(page_of(stored), fields(secret="sk-another-secret-7777"))
    stored.refresh_from_db()
    assert stored.last4 == "7777"


def test_switching_off_and_on_tells_all_servers(console, stored):
    other = Credential.objects.create(provider_id="groq", label="second", secret="gsk-0123456789-abcd")
    chosen = [str(stored.pk), str(other.pk)]
    before = revision()
    console.post(LIST, {"action": "disable", "_selected_action": chosen})
    assert not Credential.objects.filter(enabled=True).exists()
    assert revision() > before
    between = revision()
    console.post(LIST, {"action": "enable", "_selected_action": chosen})
    assert Credential.objects.filter(enabled=True).count() == 2
    assert revision() > between


def test_a_save_that_changes_nothing_raises_no_revision(console, stored):
    before = revision()
    assert console.post(page_of(stored), fields(secret="")).status_code == 302
    assert revision() == before


def test_the_list_says_why_a_credential_is_not_used(console, stored):
    assert "in use" in console.get(LIST).content.decode()
    ProviderSetting.objects.filter(provider_id="openai").update(enabled=False)
    assert "provider off" in console.get(LIST).content.decode()


def test_the_list_takes_the_same_queries_however_long_it_is(console, stored):
    def queries():
        console.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            assert console.get(LIST).status_code == 200
        return len(captured)

    few = queries()
    for number in range(20):
        Credential.objects.create(provider_id="groq", label=f"n {number}", secret=f"gsk-0123456789-{number:04d}")
    assert queries() == few <= 9


def test_a_credential_can_be_removed_after_a_question(console, stored):
    assert console.get(page_of(stored, "delete")).status_code == 200
    assert console.post(page_of(stored, "delete"), {"post": "yes"}).status_code == 302
    assert not Credential.objects.exists()
