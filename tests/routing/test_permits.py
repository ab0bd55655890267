"""Tenants and keys use what their lists let them: refused wins, empty allows all, both count."""

from uuid import UUID

import pytest

from accounts import keys
from routing import listeners, planner
from routing.permits import Permit
from routing.plan import Plan
from routing.snapshot import ModelEntry, Snapshot
from routing.snapshot.building import build
from tests.factories import default_tenant, make_credential, make_key
from tests.routing.pictures import TENANT, catalog, credential, picture

KEY = UUID(int=7)
LISTS = {"openai": catalog("gpt-x", "gpt-y"), "groq": catalog("llama", "meta/llama-big", "gpt-x")}


def entry(name: str, *owners: str, **metadata: object) -> ModelEntry:
    return ModelEntry(name, owners[0], 0, {"provider": owners[0], "provider_candidates": list(owners), **metadata})


def held(tenant: Permit | None = None, key: Permit | None = None) -> Snapshot:
    permits = {id: permit for id, permit in ((TENANT.id, tenant), (KEY, key)) if permit is not None}
    return picture(
        credential("openai"),
        credential("groq"),
        catalogs=LISTS,
        aliases={"best": ("llama", "gpt-y")},
        permits=permits,
        models=(
            entry("gpt-x", "openai", "groq"),
            entry("gpt-y", "openai"),
            entry("llama", "groq"),
            entry("best", "groq", is_alias=True, alias_targets=["llama", "gpt-y"]),
        ),
    )


def plan(snapshot: Snapshot, model: str, key: UUID | None = KEY) -> Plan:
    return planner.plan(model=model, dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0, key=key)


def ways(found: Plan) -> list[str]:
    return [f"{one.provider.id}/{one.model}" for one in found.candidates]


@pytest.mark.parametrize(
    ("permit", "model", "expected"),
    [
        (Permit(models=("gpt-*",)), "gpt-x", ["openai/gpt-x", "groq/gpt-x"]),
        (Permit(models=("gpt-*",)), "GPT-X", ["openai/gpt-x", "groq/gpt-x"]),
        (Permit(models=("gpt-*",)), "llama", "model_not_allowed"),
        (Permit(denied_models=("gpt-x",)), "gpt-x", "model_not_allowed"),
        (Permit(denied_models=("gpt-x",)), "openai/gpt-x", "model_not_allowed"),
        (Permit(denied_models=("llama",)), "llama:latest", "model_not_allowed"),
        (Permit(denied_models=("llama-*",)), "meta/llama-big", "model_not_allowed"),
        (Permit(models=("gpt-*",), denied_models=("gpt-x",)), "gpt-x", "model_not_allowed"),
        (Permit(providers=("groq",)), "gpt-x", ["groq/gpt-x"]),
        (Permit(denied_providers=("g*",)), "gpt-x", ["openai/gpt-x"]),
        (Permit(denied_providers=("g*",)), "llama", "provider_not_allowed"),
        (Permit(denied_providers=("openai",)), "openai/gpt-x", "provider_not_allowed"),
        # An alias is allowed by its own name or by its targets', and never leads to what is refused.
        (Permit(models=("best",)), "best", ["groq/llama", "openai/gpt-y"]),
        (Permit(models=("gpt-y",)), "best", ["openai/gpt-y"]),
        (Permit(models=("best",), denied_models=("gpt-y",)), "best", ["groq/llama"]),
        (Permit(models=("best",)), "llama", "model_not_allowed"),
    ],
)
def test_a_list_lets_through_what_it_names_and_refuses_the_rest(permit, model, expected) -> None:
    for snapshot in (held(tenant=permit), held(key=permit)):
        found = plan(snapshot, model)
        assert (ways(found) or found.refusal) == expected


def test_a_key_may_use_no_more_than_its_tenant() -> None:
    snapshot = held(tenant=Permit(models=("gpt-*",)), key=Permit(models=("gpt-y", "llama")))
    assert [plan(snapshot, name).refusal for name in ("gpt-x", "gpt-y", "llama")] == [
        "model_not_allowed",
        None,
        "model_not_allowed",
    ]
    assert ways(plan(snapshot, "gpt-x", key=None))


def test_callers_without_lists_share_what_was_worked_out() -> None:
    snapshot = held(key=Permit(models=("llama",)))
    plan(snapshot, "gpt-x", key=UUID(int=8))
    assert ways(plan(snapshot, "gpt-x", key=UUID(int=9)))
    assert plan(snapshot, "gpt-x").refusal == "model_not_allowed"


def test_lists_show_only_what_may_be_used_and_where() -> None:
    def shown(permit: Permit) -> list[tuple[str, list[str]]]:
        snapshot = held(key=permit)
        found = listeners.offered(snapshot, listener=None, chosen=None, who=(KEY,))
        assert listeners.offered(snapshot, listener=None, chosen=None, who=(KEY,)) is found
        return [(one.id, one.metadata["provider_candidates"]) for one in found]

    assert shown(Permit(models=("gpt-y",))) == [("gpt-y", ["openai"]), ("best", ["groq"])]
    assert shown(Permit(denied_providers=("openai",))) == [("gpt-x", ["groq"]), ("llama", ["groq"]), ("best", ["groq"])]


def test_a_path_of_one_provider_is_refused_where_its_model_is_not_known() -> None:
    def passed(permit: Permit, model: str = "") -> str | None:
        snapshot = held(key=permit)
        said = {"path": "/x", "protocol": "openai_chat", "snapshot": snapshot, "now": 0.0, "model": model}
        return planner.accounts("openai", who=(KEY,), **said).refusal

    assert passed(Permit(models=("gpt-x",))) == "model_not_allowed"
    assert passed(Permit(models=("gpt-x",)), "gpt-x") is None
    assert passed(Permit(models=("gpt-x",)), "gpt-y") == "model_not_allowed"
    assert passed(Permit(denied_providers=("openai",))) == "provider_not_allowed"
    assert passed(Permit(denied_providers=("groq",))) is None


def test_a_key_that_the_picture_does_not_know_brings_its_own_lists() -> None:
    def asked(snapshot: Snapshot, model: str, *lists: str) -> Plan:
        said = {"dialect": "openai_chat", "tenant": TENANT, "snapshot": snapshot, "now": 0.0, "key": KEY}
        return planner.plan(model=model, lists=lists, **said)

    assert asked(held(), "gpt-x", "", "gpt-x", "", "").refusal == "model_not_allowed"
    assert ways(asked(held(), "gpt-x", "", "", "", "OpenAI")) == ["groq/gpt-x"]
    # They count before those that the picture has of this key, and beside its tenant's.
    assert ways(asked(held(key=Permit(models=("llama",))), "gpt-y", "gpt-y", "", "", "")) == ["openai/gpt-y"]
    assert asked(held(tenant=Permit(models=("llama",))), "gpt-y", "gpt-y", "", "", "").refusal == "model_not_allowed"


def test_a_key_of_the_callers_own_counts_as_its_tenant() -> None:
    snapshot = held(tenant=Permit(models=("gpt-x",)))
    said = {"dialect": "openai_chat", "provider_id": "openai", "credential": credential(), "snapshot": snapshot}
    who = snapshot.restricted(TENANT.id, None)
    assert planner.with_own_key(model="openai/gpt-x", who=who, **said).candidates
    assert planner.with_own_key(model="gpt-y", who=who, **said).refusal == "model_not_allowed"


@pytest.mark.django_db
def test_the_picture_holds_the_lists_of_those_who_have_any() -> None:
    make_credential("openai")
    tenant = default_tenant()
    tenant.models_denied = " GPT-X \n\n*-preview"
    tenant.save()
    make_key()
    restricted = make_key(restrictions={"providers_allowed": "OpenAI"})
    successor, _ = keys.rotate(restricted.row, overlap=keys.timedelta(0))
    permits = build().permits
    assert permits == {
        tenant.id: Permit(denied_models=("gpt-x", "*-preview")),
        restricted.row.id: Permit(providers=("openai",)),
        successor.id: Permit(providers=("openai",)),
    }
