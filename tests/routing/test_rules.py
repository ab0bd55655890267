"""Rules by model: the first that matches orders providers, dialects and accounts of a family of models."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from routing import planner, policy_rows, providers, seeding
from routing.models import PolicyRule
from routing.plan import Plan
from routing.rules import Rule, compiled
from routing.snapshot import Snapshot
from routing.snapshot.building import build
from tests.factories import make_credential
from tests.routing.pictures import TENANT, catalog, credential, picture

HELD = ("openai", "groq", "openrouter")
LISTS = {"openai": catalog("gpt-x"), "groq": catalog("gpt-x", "llama"), "openrouter": catalog("gpt-x", "vendor/gpt-x")}


def rule(pattern: str = "gpt-*", *, is_regex: bool = False, **fields: Any) -> Rule:
    return Rule(1, "gpt", compiled(pattern, is_regex=is_regex), **fields)


def ruled(*rules: Rule, **fields: Any) -> Snapshot:
    return picture(*(credential(one) for one in HELD), catalogs=LISTS, rules=rules, **fields)


def plan(snapshot: Snapshot, model: str = "gpt-x", dialect: str = "openai_chat", prefer: str = "") -> Plan:
    return planner.plan(
        model=model, dialect=dialect, tenant=TENANT, snapshot=snapshot, now=0.0, prefer=prefer, turns=lambda _: 0
    )


def ways(found: Plan) -> list[str]:
    return [one.provider.id for one in found.candidates]


def test_the_rules_providers_come_first_and_the_others_keep_their_order() -> None:
    assert ways(plan(ruled())) == ["openai", "groq", "openrouter"]
    assert ways(plan(ruled(rule(providers=("openrouter", "missing"))))) == ["openrouter", "openai", "groq"]


def test_an_excluded_provider_is_never_asked_even_by_name() -> None:
    snapshot = ruled(rule(excluded_providers=frozenset({"openai"})))
    assert ways(plan(snapshot)) == ["groq", "openrouter"]
    assert ("openai", "excluded_by_rule") in {(row.provider_id, row.code) for row in plan(snapshot).excluded}
    assert plan(snapshot, "openai/gpt-x").refusal == "excluded_by_rule"
    assert ways(plan(snapshot, "llama")) == ["groq"]


@pytest.mark.parametrize(
    ("pattern", "is_regex", "matches"),
    [
        ("gpt-*", False, True),
        ("gpt", False, False),
        ("gpt", True, True),
        ("^GPT-[x-z]$", True, True),
        ("pt", True, False),
    ],
)
def test_a_glob_means_the_whole_name_and_an_expression_its_beginning(
    pattern: str, is_regex: bool, matches: bool
) -> None:
    snapshot = ruled(rule(pattern, is_regex=is_regex, providers=("groq",)))
    assert (ways(plan(snapshot))[0] == "groq") is matches


def test_the_first_rule_that_matches_counts_alone() -> None:
    one, two = rule(excluded_providers=frozenset({"groq"})), rule("*", providers=("openrouter",))
    assert ways(plan(ruled(one, two))) == ["openai", "openrouter"]
    assert ways(plan(ruled(one, two), "openrouter/vendor/gpt-x")) == ["openrouter"]


@pytest.mark.parametrize(
    ("dialect", "prefer", "fields", "expected"),
    [
        ("openai_chat", "", {}, "openai_chat"),
        ("openai_chat", "", {"protocols": ("openai_responses",)}, "openai_responses"),
        ("anthropic", "", {"protocols": ("gemini", "openai_chat")}, "openai_chat"),
        ("openai_chat", "openai_chat", {"protocols": ("openai_responses",)}, "openai_chat"),
        ("openai_chat", "", {"excluded_protocols": frozenset({"openai_chat"})}, "openai_responses"),
        ("openai_chat", "", {"excluded_protocols": frozenset({"openai_chat", "openai_responses"})}, "openai_chat"),
        ("openai_embeddings", "", {"protocols": ("openai_responses",)}, "openai_embeddings"),
    ],
)
def test_a_rule_says_which_dialect_is_asked_in(
    dialect: str, prefer: str, fields: dict[str, Any], expected: str
) -> None:
    found = plan(ruled(rule(**fields)), "openai/gpt-x", dialect, prefer)
    assert [one.protocol for one in found.candidates] == [expected]


def test_a_rules_order_of_accounts_stands_in_for_the_providers() -> None:
    first, second = credential("openai", weight=1), credential("openai", weight=1)
    for order, turn, expected in (("priority", 1, first), ("round_robin", 1, second)):
        snapshot = picture(first, second, catalogs=LISTS, rules=(rule(accounts=order),))
        found = planner.plan(
            model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0, turns=lambda _, t=turn: t
        )
        assert found.candidates[0].credential is expected


def test_free_accounts_serve_only_if_there_is_no_other() -> None:
    free, plus, key = (credential("openai", plan_type=one) for one in ("free", "plus", ""))
    paid = rule(excluded_plans=frozenset({"free"}))
    found = plan(picture(free, plus, key, catalogs=LISTS, rules=(paid,)))
    assert [one.credential for one in found.candidates] == [plus, key]
    assert [(row.credential_id, row.code) for row in found.excluded] == [(free.id, "plan_not_allowed")]
    alone = plan(picture(free, catalogs=LISTS, rules=(paid,)))
    assert [one.credential for one in alone.candidates] == [free]


@pytest.mark.django_db
def test_cheapest_providers_come_first_and_unknown_prices_last() -> None:
    from routing.models import FactSetting

    for one in ("openai", "groq", "cerebras"):
        make_credential(one)
    for provider_id, dollars in (("openai", 3), ("groq", 1)):
        FactSetting.objects.create(provider_id=provider_id, model="odd-x", price_input=dollars, price_output=dollars)
    PolicyRule.objects.create(name="odd", pattern="odd-*", order_providers="cheapest")
    assert ways(plan(build(), "odd-x")) == ["groq", "openai", "cerebras"]


@pytest.mark.django_db
def test_the_picture_holds_enabled_rules_in_order_with_canonical_names() -> None:
    PolicyRule.objects.create(name="late", pattern="a*", position=20, providers="OpenAI\n\n groq", accounts="priority")
    PolicyRule.objects.create(name="off", pattern="b*", position=5, enabled=False)
    PolicyRule.objects.create(
        name="early", pattern="c", kind="regex", position=10, paid_plans=True, excluded_plans="Team"
    )
    PolicyRule.objects.create(name="broken", pattern="(", kind="regex")
    snapshot = build()
    assert [one.name for one in snapshot.rules] == ["early", "late"]
    assert snapshot.rules[0].excluded_plans == {"free", "team"}
    assert (snapshot.rules[1].providers, snapshot.rules[1].accounts) == (("openai", "groq"), "priority")
    assert any("broken" in fault for fault in snapshot.faults)


@pytest.mark.django_db
def test_prefixes_of_the_environment_are_rules_behind_all_others(settings: Any) -> None:
    settings.UPSTREAM_MESSAGES_MODEL_PREFIXES = ("claude-", "c+")
    settings.UPSTREAM_RESPONSES_MODEL_PREFIXES = ("gpt-",)
    PolicyRule.objects.create(name="mine", pattern="gpt-5*", providers="groq")
    make_credential("openai")
    snapshot = build()
    assert [one.protocol for one in plan(snapshot, "gpt-4").candidates] == ["openai_responses"]
    assert [one.protocol for one in plan(snapshot, "gpt-5").candidates] == ["openai_chat"]
    assert snapshot.rules[1].pattern.match("C+x")
    assert not snapshot.rules[1].pattern.match("cc")


@pytest.mark.parametrize("pattern", ["^(gpt|[a-z]+)*-turbo$", "(a|a)*b", "(a*)*b", ".*.*.*.*.*.*.*.*b", "(.*a){20}b"])
def test_no_name_keeps_an_expression_busy(pattern: str) -> None:
    one = compiled(pattern, is_regex=True)
    assert not one.match("a" * 5_000 + "!")
    assert not one.match("a\udc00")


def test_a_name_that_nobody_has_meets_no_rule() -> None:
    class Counting:
        met: list[str] = []

        def match(self, name: str, /) -> None:
            self.met.append(name)

    snapshot = ruled(Rule(1, "counts", Counting()))
    assert plan(snapshot, "nobody-has-it").refusal == "unknown_model"
    assert Counting.met == []
    assert ways(plan(snapshot))
    assert "gpt-x" in Counting.met


@pytest.mark.django_db
def test_an_expression_without_bound_leaves_its_rule_out_in_words() -> None:
    PolicyRule.objects.create(name="no mini", pattern="^gpt-(?!mini)", kind="regex")
    snapshot = build()
    assert snapshot.rules == ()
    assert any("'no mini'" in fault and "(?!" in fault for fault in snapshot.faults)


@pytest.mark.parametrize(
    "fields",
    [
        {"pattern": "(", "kind": "regex"},
        {"pattern": r"(a)\1", "kind": "regex"},
        {"protocols": "telex"},
        {"accounts": "by_mood"},
    ],
    ids=str,
)
def test_a_rule_that_could_not_work_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PolicyRule(**{"name": "x", "pattern": "x", **fields}).clean()


@pytest.mark.django_db
def test_default_rules_are_added_once_and_only_if_asked_for(capsys) -> None:
    assert build().rules == ()
    call_command("add_default_rules")
    patterns = list(PolicyRule.objects.values_list("pattern", flat=True))
    assert patterns[:3] == ["^glm-", "^claude-", "^gpt-oss"]
    PolicyRule.objects.first().delete()
    assert policy_rows.add_defaults() == 1
    assert policy_rows.add_defaults() == 0
    for row in PolicyRule.objects.all():
        row.clean()
        assert set(row.providers.splitlines()) <= set(providers.load())
    assert len(build().rules) == len(patterns)


@pytest.mark.django_db
def test_default_rules_treat_each_family_in_its_own_way() -> None:
    for one in ("openai", "ollama-cloud", "zai", "vivgrid", "groq"):
        make_credential(one)
    policy_rows.add_defaults()
    rules = build().rules
    lists = {
        one: catalog("glm-5", "gpt-5", "gpt-oss:120b") for one in ("openai", "ollama-cloud", "zai", "vivgrid", "groq")
    }
    snapshot = replace(build(), catalogs=lists, rules=rules, named=0)
    assert ways(plan(snapshot, "glm-5"))[:3] == ["zai", "vivgrid", "ollama-cloud"]
    assert ways(plan(snapshot, "gpt-oss:120b"))[0] == "ollama-cloud"
    assert ways(plan(snapshot, "gpt-5"))[:2] == ["openai", "vivgrid"]
    assert "ollama-cloud" not in ways(plan(snapshot, "gpt-5"))


def policy(*entries: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": "1.0", "modelRouting": {"rules": list(entries)}, **more})


@pytest.mark.django_db
def test_a_policy_file_is_laid_over_the_defaults_and_followed(tmp_path: Path, settings) -> None:
    file = tmp_path / "policy.json"
    settings.PROXY_POLICY_CONFIG_FILE = str(file)
    mine = PolicyRule.objects.create(name="mine", pattern="mine*")
    file.write_text("{}")
    assert seeding.sync_rules().created == 5  # it says nothing: the defaults
    entry = {"modelPattern": "gpt-", "preferredProviders": ["groq"], "preferredStrategies": ["messages"]}
    file.write_text(
        policy(entry, {"modelPattern": "^a|b$", "requiresPaidPlan": True, "fallbackModels": ["c"]}, fallback={})
    )
    report = seeding.sync_rules()
    assert (report.created, report.removed) == (2, 5)
    assert [fault.split(" has no")[0] for fault in report.faults] == [
        "policy.json: fallback",
        "policy.json, rule 2: fallbackModels",
    ]
    one, two = PolicyRule.objects.filter(source="file")
    assert (one.pattern, one.kind, one.providers, one.protocols) == ("gpt-*", "glob", "groq", "anthropic")
    assert (two.pattern, two.kind, two.paid_plans) == ("^a|b$", "regex", True)
    assert seeding.sync_rules() == replace(report, created=0, removed=0)
    settings.PROXY_POLICY_CONFIG_FILE = ""
    assert seeding.sync_rules().removed == 2
    assert list(PolicyRule.objects.all()) == [mine]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        '{"modelRouting": 1}',
        '{"modelRouting": {"rules": [{}]}}',
        "",
        policy({"modelPattern": "x", "preferredProviders": "groq"}),
    ],
)
def test_a_policy_file_that_cannot_be_read_changes_nothing_and_is_told(tmp_path: Path, settings, text: str) -> None:
    file = tmp_path / "policy.json"
    settings.PROXY_POLICY_CONFIG_FILE = str(file)
    file.write_text(policy({"modelPattern": "gpt-"}))
    seeding.sync_rules()
    file.write_text(text or "{")
    assert seeding.sync_rules().faults
    assert PolicyRule.objects.count() == 1


@pytest.mark.django_db
def test_with_a_database_of_its_own_a_policy_file_only_fills_an_empty_table(tmp_path: Path, settings) -> None:
    file = tmp_path / "policy.json"
    file.write_text(policy({"modelPattern": "gpt-"}))
    settings.PROXY_POLICY_CONFIG_FILE, settings.DATABASE_URL = str(file), "postgres://somewhere"
    assert seeding.sync_rules().created == 1
    file.write_text(policy({"modelPattern": "glm-"}))
    assert seeding.sync_rules() == seeding.SeedReport()
