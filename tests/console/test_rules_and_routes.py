"""The pages of rules, exclusions and pools, and the one that explains where a request would go."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import DEFAULT_TENANT_ID, Operator
from proxx.kit import clock
from routing import health, policies, quota, reload
from routing.models import CatalogModel, CatalogState, ModelExclusion, ModelPreference, PolicyRule
from routing.plan import EXCLUSIONS, REFUSALS
from tests.factories import make_credential, make_key

pytestmark = pytest.mark.django_db
RULES = "/console/routing/policyrule/"
EXPLAIN = f"{RULES}explain/"
EXCLUSIONS_PAGE = "/console/routing/modelexclusion/"


@pytest.fixture(autouse=True)
def fresh():
    """Nobody rests, and the picture is that of this test's rows."""
    yield
    reload.install(None)
    health.forget()
    quota.forget()


def account(number: int, provider_id: str = "openai"):
    return make_credential(provider_id, secret=f"sk-sim-{number}", label=f"number {number}")


def text(response) -> str:
    """Return what people read of a page."""
    body = re.sub(r"<(script|style|datalist)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace(" .", ".").replace("&#x27;", "'")


def asked(console, **fields):
    said = {"model": "gpt-x", "dialect": "openai_chat", "caller": str(DEFAULT_TENANT_ID), **fields}
    reload.install(None)
    response = console.post(EXPLAIN, said)
    assert response.status_code == 200
    return text(response)


def test_default_rules_are_added_by_a_button_and_said_in_words(console):
    above = text(console.get(RULES))
    assert "Add the default rules" in above
    assert "GPT models are asked as Responses" in above
    assert "free_first instead of affinity" in above
    assert console.get(f"{RULES}defaults/").status_code == 405
    assert console.post(f"{RULES}defaults/").status_code == 302
    page = text(console.get(RULES))
    assert "first factory, openrouter, requesty, vivgrid; never openai, ollama-cloud" in page
    assert "5 default rules added." in page


def test_a_rule_is_added_and_a_pattern_that_is_none_is_refused(console):
    fields = {"name": "mine", "pattern": "claude-*", "kind": "glob", "position": "1", "providers": "groq"}
    assert console.post(f"{RULES}add/", {**fields, "accounts": "by_mood"}).status_code == 200
    assert console.post(f"{RULES}add/", {**fields, "enabled": "on", "accounts": "priority"}).status_code == 302
    broken = console.post(f"{RULES}add/", {**fields, "pattern": "(", "kind": "regex"})
    assert "This is no regular expression" in text(broken)


def test_rules_of_a_file_are_looked_at_not_changed(console):
    row = PolicyRule.objects.create(name="theirs", pattern="x", source="file")
    page = console.get(f"{RULES}{row.pk}/change/")
    assert "This follows the policy file" in text(page)
    assert console.post(f"{RULES}{row.pk}/change/", {"name": "mine"}).status_code == 403


def test_targets_that_lead_nowhere_are_named(console):
    account(1)
    CatalogModel.objects.create(provider_id="openai", model_id="gpt-x", position=1)
    CatalogState.objects.create(provider_id="openai", fetched_at=clock.now())
    ModelPreference.objects.create(name="best", alias_of="groq/llama\nhigh:gone\ngpt-x")
    ModelPreference.objects.create(name="nope", alias_of="gone")
    page = asked(console, model="best")
    assert "goes to OpenAI" in page
    assert f"Its target groq/llama is passed over. {REFUSALS['no_account']}" in page
    assert f"Its target high:gone is passed over. {REFUSALS['unknown_model']}" in page
    assert "Its target gpt-x" not in page
    assert "nope is an alias, but all that it stands for is missing." in asked(console, model="nope")
    rows = text(console.get("/console/routing/modelpreference/"))
    assert "(not to be had now: groq/llama, high:gone)" in rows
    assert "goes to gone (not to be had now: gone)" in rows


def test_an_exclusion_is_added_for_a_known_provider(console):
    assert console.post(f"{EXCLUSIONS_PAGE}add/", {"provider_id": "nobody", "pattern": "x"}).status_code == 200
    assert console.post(f"{EXCLUSIONS_PAGE}add/", {"provider_id": "groq", "pattern": "x-*"}).status_code == 302
    assert "Groq" in text(console.get(EXCLUSIONS_PAGE))
    assert str(ModelExclusion.objects.get()) == "x-* at groq"


def test_who_may_not_see_rules_sees_no_explanation(client):
    helper = Operator.objects.create_user("helper", password="a long password for tests", is_staff=True)
    client.force_login(helper)
    assert client.get(EXPLAIN).status_code == 403


def test_a_question_without_a_model_is_answered_with_what_is_missing(console):
    missing = "Name a model, or paste a request that names one."
    assert missing in asked(console, model="")
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    page = asked(console, model="", body=body)
    assert "goes nowhere" not in page
    assert "model" in page


def test_the_empty_page_asks_for_a_request(console):
    page = text(console.get(EXPLAIN))
    assert "Nothing is sent" in page
    assert "goes to" not in page
    assert "Name a model, or paste a request" in asked(console, model="")


def test_candidates_are_drawn_in_order_with_state_and_reasons(console):
    account(1)
    second = account(2)
    make_credential("factory", label="other")
    ModelPreference.objects.create(name="fast", alias_of="gpt-x")
    health.rest(second.pk, 300.0, is_soft=True, kind="upstream_error")
    page = asked(console, model="fast")
    assert "“fast” goes to Factory" in page or "“fast” goes to OpenAI" in page
    assert "The name is an alias." in page
    assert page.index("number 1") < page.index("number 2")
    assert "failed lately; behind the others for 5 min" in page
    assert "https://api.openai.com/v1/chat/completions" in page
    assert "sk-sim" not in page


def test_a_refusal_and_each_exclusion_have_a_sentence(console):
    one = account(1)
    quota.spent[one.pk] = clock.monotonic() + 120
    health.rest(one.pk, 120.0)
    page = asked(console)
    assert "goes nowhere" in page
    assert REFUSALS["all_resting"] in page
    assert "OpenAI (number 1)" in page
    assert EXCLUSIONS["resting"] in page or EXCLUSIONS["quota_spent"] in page


def test_an_alias_of_what_is_no_model_is_told(console):
    account(1)
    ModelPreference.objects.create(name="twice", alias_of="once\nauto:fastest")
    ModelPreference.objects.create(name="once", alias_of="gpt-x")
    page = asked(console, model="Twice")
    assert "Its target once is passed over. It is an alias itself" in page
    assert "Its target auto:fastest is passed over. It is not a model" in page
    assert "Its target" not in asked(console, model="once")


def test_those_that_merely_do_not_list_the_model_come_last(console):
    account(1)
    account(2, "zai")
    CatalogModel.objects.create(provider_id="openai", model_id="gpt-x")
    CatalogModel.objects.create(provider_id="zai", model_id="glm")
    CatalogState.objects.create(provider_id="zai", fetched_at=clock.now())
    ModelExclusion.objects.create(provider_id="openai", pattern="gpt-x")
    page = asked(console)
    assert 0 < page.index(EXCLUSIONS["excluded"]) < page.index(EXCLUSIONS["not_listed"])


def test_quota_is_drawn_as_bars(console):
    from oauth.plan_usage import PlanUsage, Window

    one = account(1)
    quota.note(one.pk, quota.Standing(PlanUsage((Window("5 h", 91.0, None, 18000.0),)), clock.unix(), "asked"))
    reload.install(None)
    page = console.post(EXPLAIN, {"model": "gpt-x", "dialect": "openai_chat", "caller": str(DEFAULT_TENANT_ID)})
    assert b"px-quota-warn" in page.content
    assert b'<progress max="100" value="91">' in page.content


def test_an_account_without_a_name_is_shown_as_such_and_not_by_a_uuid(console):
    row = make_credential("openai", label="")
    make_credential("openai", label="", account_id="someone@example.com", secret="sk-sim-2")
    page = asked(console, model="gpt-x")
    assert f"without label ({row.account_id[:8]}…)" in page
    assert "someone@example.com" in page
    assert row.account_id not in page


def test_who_rests_is_shown_with_when_they_are_back(console):
    one, other = account(1), account(2)
    for row, seconds in ((one, 300), (other, 500)):
        health.rest(row.pk, seconds, kind="rate_limited")
    page = asked(console, model="gpt-x")
    assert "rests, because its provider limits it; the first back in 5 min" in page
    health.forget()
    health.rest("openai@api.openai.com", 40, kind="overloaded")
    assert "is left alone after failures; the first back in 40 s" in asked(console, model="gpt-x")


def test_a_key_is_explained_by_its_own_lists(console):
    make_credential("openai")
    key = make_key(restrictions={"models_allowed": "llama*"}).row
    assert "may not use the model" in asked(console, caller=f"{DEFAULT_TENANT_ID}/{key.pk}")
    assert "goes to OpenAI" in asked(console)


def test_a_pasted_request_says_by_itself_what_it_needs(console):
    make_credential("openai")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": [image]}], "reasoning_effort": "high"}
    page = asked(console, model="", body=json.dumps(body))
    assert "“gpt-x” goes to OpenAI" in page
    assert "The request needs images, reasoning. It asks for high effort." in page
    assert "The body cannot be read" in asked(console, model="", body='{"model": "gpt-x", "messages": 5}')
    assert "The body cannot be read" in asked(console, model="", body="{")


def test_a_pasted_gemini_request_takes_its_model_from_the_form(console):
    make_credential("gemini")
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    assert "“gemini-x” goes to" in asked(console, model="gemini-x", dialect="gemini", body=body)


def test_explaining_uses_nobodys_turn_up(console):
    for number in range(3):
        account(number)
    policies.forget()
    pages = {re.sub(r"value=\"\w{64}\"", "", asked(console)) for _ in range(3)}
    assert len(pages) == 1
    assert policies.next_turn("openai") == 0


def test_a_link_can_ask(console):
    make_credential("openai")
    reload.install(None)
    assert "goes to OpenAI" in text(console.get(f"{EXPLAIN}?model=gpt-x"))


def test_the_page_costs_few_queries_however_many_accounts(console):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            asked(console)
        return len(captured)

    make_credential("openai")
    queries()
    few = queries()
    for number in range(20):
        account(number)
        make_key(label=f"key {number}")
    queries()
    assert queries() == few


def test_a_name_that_nobody_goes_by_is_kept_and_told(console):
    account(1)
    CatalogModel.objects.create(provider_id="openai", model_id="gpt-x", position=1)
    CatalogState.objects.create(provider_id="openai", fetched_at=clock.now())
    rule = {"name": "mine", "pattern": "claude-*", "kind": "glob", "position": "1", "enabled": "on"}
    console.post(f"{RULES}add/", {**rule, "providers": "groq\nopen*", "excluded_providers": "opnai"})
    page = text(console.get(RULES))
    assert "“Never these providers” names providers that proxx does not know: opnai." in page
    assert PolicyRule.objects.get().excluded_providers == "opnai"
    page = text(
        console.post(f"{RULES}{PolicyRule.objects.get().pk}/change/", {**rule, "providers": "groq"}, follow=True)
    )
    assert "does not know" not in page
    alias = {"name": "best", "alias_of": "bogus:gpt-x\ngpt-x", "alias_enabled": "on"}
    page = text(console.post("/console/routing/modelpreference/add/", alias, follow=True))
    assert "The target bogus:gpt-x leads nowhere now." in page
    assert "The target gpt-x" not in page
    tenant = f"/console/accounts/tenant/{DEFAULT_TENANT_ID}/change/"
    form = console.get(tenant).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    inlines = {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}
    page = text(console.post(tenant, {**fields, **inlines, "providers_denied": "opnai"}, follow=True))
    assert "“Never these providers” names providers that proxx does not know: opnai." in page
