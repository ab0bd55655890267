"""Profiles and listeners in the console, and the places where a profile is given to somebody."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Profile, Tenant
from routing import ports, reload
from routing.models import Listener

pytestmark = pytest.mark.django_db
PROFILES, LISTENERS = "/console/accounts/profile/", "/console/routing/listener/"


@pytest.fixture(autouse=True)
def fresh_picture():
    reload.install(None)
    yield
    reload.install(None)
    ports._open = None


def queries_of(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def fault_of(response, field):
    """Return what the form says of a field; the page came back because it was not saved."""
    assert response.status_code == 200
    return " ".join(response.context["adminform"].form.errors.get(field, []))


def test_each_list_asks_a_fixed_number_of_questions(console, tenant):
    def add(number):
        profile = Profile.objects.create(name=f"p{number}", temperature=0.5)
        Listener.objects.create(name=f"l{number}", host=f"h{number}.example.com", profile=profile)
        Tenant.objects.create(slug=f"t{number}", profile=profile)
        keys.issue(tenant, label="x", profile=profile)

    add(0)
    few = [queries_of(console, path) for path in (PROFILES, LISTENERS)]
    for number in range(1, 10):
        add(number)
    assert [queries_of(console, path) for path in (PROFILES, LISTENERS)] == few
    assert max(few) <= 8


def test_the_list_says_in_words_what_a_profile_does_and_who_has_it(console):
    profile = Profile.objects.create(
        name="Bridge",
        temperature=0.3,
        web_search=True,
        reasoning_effort="low",
        reasoning_shown="hidden",
        models_include="*codex*",
        fast_mode="always",
        chunk_delay_ms=20,
        chunk_delay_max_ms=60,
        preferred_dialect="openai_responses",
        headers="X-Team: lab",
    )
    Listener.objects.create(name="a", port=5102, profile=profile)
    page = console.get(PROFILES).content.decode()
    for words in ("temperature 0.3", "web search", "reasoning low", "reasoning left out", "lists *codex*", "fast",
                  "pauses 20 to 60 ms", "asks in OpenAI Responses", "1 header", "1 listener"):  # fmt: skip
        assert words in page
    assert b"1 listener" in console.get(f"{PROFILES}{profile.pk}/change/").content


def test_a_profile_is_added_and_its_faults_are_named(console):
    assert console.post(f"{PROFILES}add/", {"name": "Empty"}).status_code == 302
    assert Profile.objects.get(name="Empty").options() == Profile().options()
    refused = console.post(f"{PROFILES}add/", {"name": "x", "headers": "Authorization: Bearer abc"})
    assert "written by proxx itself" in fault_of(refused, "headers")


def test_a_profile_in_use_is_not_deleted(console):
    profile = Profile.objects.create(name="x")
    page = f"{PROFILES}{profile.pk}/delete/"
    listener = Listener.objects.create(name="a", port=5102, profile=profile)
    assert console.post(page, {"post": "yes"}).status_code == 403
    listener.delete()
    assert console.post(page, {"post": "yes"}).status_code == 302


def test_a_listener_has_a_host_name_or_a_port(console):
    def add(**fields):
        return console.post(f"{LISTENERS}add/", {"name": f"l{Listener.objects.count()}", "enabled": "on", **fields})

    assert add(host="AI.Example.com.").status_code == 302
    assert add(port="5102").status_code == 302
    assert list(Listener.objects.values_list("host", "port").order_by("port")) in (
        [("ai.example.com", None), ("", 5102)],
        [("", 5102), ("ai.example.com", None)],
    )
    for fields in ({}, {"host": "a.example.com", "port": "5103"}):
        assert "a host name or a port" in fault_of(add(**fields), "host")
    assert "without https://" in fault_of(add(host="https://ai.example.com/v1"), "host")
    assert "between 1 and 65535" in fault_of(add(port="70000"), "port")
    assert fault_of(add(port="5102"), "port")


def test_clients_own_keys_need_a_tenant(console):
    fields = {"name": "x", "host": "own.example.com", "own_key_provider": "groq", "enabled": "on"}
    assert "Choose the tenant" in fault_of(console.post(f"{LISTENERS}add/", fields), "own_key_tenant")
    done = console.post(f"{LISTENERS}add/", {**fields, "own_key_tenant": str(DEFAULT_TENANT_ID)})
    assert done.status_code == 302
    assert b"their own key for Groq" in console.get(LISTENERS).content
    unknown = console.post(f"{LISTENERS}add/", {**fields, "own_key_provider": "nobody"})
    assert fault_of(unknown, "own_key_provider")


def test_the_list_says_which_ports_wait_for_a_restart(console):
    Listener.objects.create(name="old", port=5101)
    Listener.objects.create(name="new", port=5102)
    Listener.objects.create(name="off", port=5103, enabled=False)
    ports.note([8789, 5101])
    admin = console.get(LISTENERS).context["cl"].model_admin
    states = {row.name: admin.state(row) for row in Listener.objects.all()}
    assert states == {"old": "open", "new": "after a restart", "off": "off"}


def test_tenants_and_keys_are_given_a_profile_and_a_rotated_key_keeps_it(console, tenant):
    profile = Profile.objects.create(name="x")
    page = f"/console/accounts/tenantsettings/{tenant.pk}/change/"
    assert console.post(page, {"profile": str(profile.pk), "bodies": "off"}).status_code == 302
    issued = {"tenant": str(tenant.pk), "label": "laptop", "lifetime": "", "calls": "all", "profile": str(profile.pk)}
    assert console.post("/console/accounts/apikey/add/", issued).status_code == 200
    tenant.refresh_from_db()
    key = ApiKey.objects.get(label="laptop")
    assert (tenant.profile, key.profile) == (profile, profile)
    assert keys.rotate(key, overlap=timedelta(hours=1))[0].profile == profile


@pytest.mark.parametrize(("page", "word"), [(PROFILES, "does nothing until"), (LISTENERS, "another host name or port")])
def test_an_empty_list_says_what_it_is_for(console, page, word):
    assert word in console.get(page).text
    Listener.objects.create(name="a", port=5102, profile=Profile.objects.create(name="p"))
    assert word not in console.get(page).text
    assert word not in console.get(f"{page}?q=nothing-like-this").text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "x"}, "host"),
        ({"name": "x", "host": "ai.example.com", "port": "5102"}, "host"),
        ({"name": "x", "port": "5102", "own_key_provider": "openai"}, "own_key_tenant"),
    ],
)
def test_a_fault_between_two_fields_stands_at_one_of_them(console, fields, field):
    response = console.post(f"{LISTENERS}add/", {"host": "", "port": "", "enabled": "on", **fields})
    assert fault_of(response, field)
    assert not response.context["adminform"].form.non_field_errors()
