"""explain_route and refresh_catalog."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Credential
from routing import reload
from routing.catalog import refresh
from routing.catalog.merge import Look
from routing.catalog.sources import Listed
from routing.models import ModelPreference, PolicyRule, ProviderSetting

pytestmark = pytest.mark.django_db


def said(command: str, *args: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


def test_a_route_is_explained_without_any_secret() -> None:
    Credential.objects.create(provider_id="openai", secret="sk-very-secret", label="work")
    Credential.objects.create(provider_id="factory", secret="fk-other")
    ModelPreference.objects.create(name="fast", alias_of="gpt-x")
    text = said("explain_route", "fast")
    assert "fast is an alias." in text
    assert "1. openai / work: gpt-x at https://api.openai.com/v1/chat/completions" in text
    assert "2. factory / " in text
    assert "at https://api.factory.ai/api/llm/o/v1/responses" in text
    assert "secret" not in text
    assert "No configured provider" not in text


def test_the_order_of_equal_accounts_is_explained() -> None:
    ProviderSetting.objects.update_or_create(provider_id="openai", defaults={"strategy": "fastest"})
    Credential.objects.create(provider_id="factory", secret="fk-only")
    Credential.objects.create(provider_id="openai", secret="sk-one")
    assert "orders equal" not in said("explain_route", "gpt-x")
    Credential.objects.create(provider_id="openai", secret="sk-two")
    reload.install(None)
    assert "openai orders equal accounts by fastest: the account that begins" in said("explain_route", "gpt-x")
    assert "belongs" not in said("explain_route", "gpt-x", cache_key="talk")


def test_orders_of_accounts_that_differ_by_model_name_the_model_and_the_rule() -> None:
    PolicyRule.objects.create(name="Turns", pattern="gpt-y", accounts="round_robin")
    ModelPreference.objects.create(name="best", alias_of="gpt-x\ngpt-y")
    for secret in ("sk-one", "sk-two"):
        Credential.objects.create(provider_id="openai", secret=secret)
    text = said("explain_route", "best")
    assert "openai orders equal accounts of gpt-x by affinity: " in text
    assert "openai orders equal accounts of gpt-y by round_robin, as the rule “Turns” says: " in text
    assert "openai orders equal accounts by round_robin, as the rule “Turns” says: " in said("explain_route", "gpt-y")


def test_a_target_that_leads_nowhere_is_named() -> None:
    ModelPreference.objects.create(name="best", alias_of="gone\ngpt-x")
    ModelPreference.objects.create(name="gone", disabled=True)
    Credential.objects.create(provider_id="openai", secret="sk-one")
    assert "Its target gone is passed over. The operator has disabled this model." in said("explain_route", "best")


def test_where_a_conversation_belongs_is_explained() -> None:
    for number in range(5):
        Credential.objects.create(provider_id="openai", secret=f"sk-{number}", label=f"account-{number}")
    told = {said("explain_route", "gpt-x", cache_key="talk") for _ in range(5)}
    assert len(told) == 1
    assert "The conversation belongs to the first of each provider" in told.pop()
    assert len({said("explain_route", "gpt-x") for _ in range(5)}) == 1  # nobody's turn is used up


def test_a_refusal_is_explained() -> None:
    assert "No usable credential leads to this model." in said("explain_route", "gpt-x")
    with pytest.raises(CommandError):
        said("explain_route", "gpt-x", tenant="nobody")


def test_lists_are_read_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [Look("groq", (Listed("a"), Listed("b"))), Look("xai", fault="The provider answered 401.")]
    monkeypatch.setattr(refresh, "refresh", lambda wanted: looks)
    assert said("refresh_catalog", "groq", "xai").splitlines() == ["groq: 2 models", "xai: The provider answered 401."]
    del looks[0]
    with pytest.raises(CommandError, match="No provider answered"):
        said("refresh_catalog")


def test_the_periodic_job_looks_at_every_list(monkeypatch: pytest.MonkeyPatch) -> None:
    from routing import tasks

    asked: list[Any] = []
    monkeypatch.setattr(refresh, "refresh", lambda *wanted: asked.append(wanted))
    tasks.refresh_catalogs()
    assert asked == [()]
    assert tasks.refresh_catalogs.name == "routing.tasks.refresh_catalogs"
