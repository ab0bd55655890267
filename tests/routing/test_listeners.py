"""Which listener a request comes through, which profile applies, what is listed; and how rows become a picture."""

from uuid import uuid4

import pytest

from accounts.models import DEFAULT_TENANT_ID, Profile
from proxx.protocols.profile.options import Options
from routing import listeners
from routing.models import Listener
from routing.snapshot import ListenerView, ModelEntry, Snapshot, TenantView, build

NAMED, FIRST, SECOND = (ListenerView(name, None) for name in ("named", "first", "second"))
PICTURE = Snapshot(
    1, {}, {}, {}, hosts={"ai.example.com": NAMED, "[::1]": NAMED}, ports={5101: FIRST, 5102: SECOND}
)  # fmt: skip


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [
        ("ai.example.com", 8789, NAMED),
        ("AI.Example.com.:443", 5101, NAMED),
        ("[::1]:8789", 8789, NAMED),
        ("localhost:5102", 8789, SECOND),
        ("localhost:5102", 5101, SECOND),
        ("localhost:8080", 5101, FIRST),
        ("localhost", 5102, SECOND),
        ("other.example.com", 8789, None),
        ("", None, None),
        ("ai.example.com:99999999999", None, None),
    ],
)
def test_the_host_header_decides_before_the_port(host, port, found):
    """F-329, F-330."""
    assert listeners.found(PICTURE, host=host, port=port) is found


def test_a_listeners_profile_goes_before_the_keys_and_the_keys_before_the_tenants():
    ids = [uuid4() for _ in range(3)]
    told = {one: Options(temperature=float(place)) for place, one in enumerate(ids)}
    picture = Snapshot(1, {}, {}, {}, profiles=told)
    tenant = TenantView(uuid4(), "t", True, False, ids[2])

    def temperature(listener, key):
        return listeners.options(picture, listener=listener, key_profile=key, tenant=tenant).temperature

    assert temperature(ListenerView("x", ids[0]), ids[1]) == 0.0
    assert temperature(ListenerView("x", None), ids[1]) == 1.0
    assert temperature(None, None) == 2.0


def test_without_profiles_nothing_is_looked_up():
    tenant = TenantView(uuid4(), "t", True, False)
    assert listeners.options(PICTURE, listener=None, key_profile=uuid4(), tenant=tenant) is None


MODELS = tuple(
    ModelEntry(name, "openai", 0, {"supports_reasoning": thinks, "provider_candidates": [owner]})
    for name, thinks, owner in (("GPT-5-Codex", True, "openai"), ("gpt-5", None, "groq"), ("gpt-4o", False, "openai"))
)
LISTS = Snapshot(1, {}, {}, {}, models=MODELS)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (None, ["GPT-5-Codex", "gpt-5", "gpt-4o"]),
        (Options(include=("*codex*",)), ["GPT-5-Codex"]),
        (Options(exclude=("*codex*", "gpt-4?")), ["gpt-5"]),
        (Options(include=("gpt-5*",), exclude=("*codex*",)), ["gpt-5"]),
    ],
)
def test_lists_hold_what_the_globs_let_through(options, names):
    """F-075."""
    assert [one.id for one in listeners.offered(LISTS, listener=None, chosen=options)] == names


def test_variants_are_listed_beside_models_that_may_reason():
    """F-074."""
    entries = listeners.offered(LISTS, listener=None, chosen=Options(variants=True))
    assert len(entries) == 17 + 17 + 1
    (one,) = [entry for entry in entries if entry.id == "gpt-5:res-high:sum-detailed"]
    assert one.metadata["proxy_reasoning_profile"] == {"effort": "high", "summary": "detailed"}


def test_where_clients_bring_their_own_keys_only_that_providers_models_are_listed():
    listener = ListenerView("x", None, "groq", uuid4())
    assert [one.id for one in listeners.offered(LISTS, listener=listener, chosen=None)] == ["gpt-5"]


@pytest.mark.django_db
def test_rows_become_a_picture_and_a_damaged_one_is_left_out_with_a_sentence():
    good = Profile.objects.create(name="good", models_include="GPT-*\n\n", chunk_delay_ms=20, headers="X-Team: lab")
    Profile.objects.create(name="bad", headers="nonsense")
    Listener.objects.create(name="a", host="ai.example.com", profile=good)
    Listener.objects.create(name="b", port=5102, own_key_provider="groq", own_key_tenant_id=DEFAULT_TENANT_ID)
    Listener.objects.create(name="c", port=5103, enabled=False)
    picture = build()
    assert picture.profiles == {
        good.id: Options(include=("gpt-*",), delay=(0.02, 0.02), headers=((b"x-team", b"lab"),))
    }  # fmt: skip
    assert picture.hosts["ai.example.com"].profile_id == good.id
    assert list(picture.ports) == [5102]
    assert picture.ports[5102].own_key_tenant == DEFAULT_TENANT_ID
    assert any("'bad'" in fault for fault in picture.faults)
