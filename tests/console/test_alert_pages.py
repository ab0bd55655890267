"""Rules of alerts in the console: made, kept secret, tried by a button."""

import pytest
from django.contrib.messages import get_messages

from accounts.models import AuditEntry
from analytics import alert_admin, alert_sending
from analytics.alert import Alert, AlertRule
from proxx.kit import clock

ADD = "/console/analytics/alertrule/add/"
SECRET = "a-webhook-secret-0123456789"
FORM = {
    "name": "Budgets",
    "kind": "budget",
    "threshold": "80",
    "minutes": "10",
    "least": "20",
    "tenant": "",
    "provider_id": "",
    "enabled": "on",
    "emails": "ops@example.com",
    "cooldown": "60",
    "webhook_url": "https://hooks.example/x",
    "secret": SECRET,
}


@pytest.fixture
def rule(console):
    assert console.post(ADD, FORM).status_code == 302
    return AlertRule.objects.get()


def test_a_rule_is_made_and_its_secret_shown_nowhere(console, rule):
    page = console.get(f"/console/analytics/alertrule/{rule.pk}/change/").content.decode()
    assert (SECRET in page, rule.secret in page, f"••••{SECRET[-4:]}" in page) == (False, False, True)
    told = str(list(AuditEntry.objects.values()))
    assert ("Budgets" in told, SECRET in told) == (True, False)


def test_an_empty_secret_keeps_the_stored_one_but_not_for_another_address(console, rule):
    page = f"/console/analytics/alertrule/{rule.pk}/change/"
    assert console.post(page, FORM | {"secret": "", "threshold": "90"}).status_code == 302
    kept = AlertRule.objects.get()
    assert (kept.threshold, kept.secret) == (90, rule.secret)
    answer = console.post(page, FORM | {"secret": "", "webhook_url": "https://elsewhere.example/"})
    assert "Type the secret again" in answer.content.decode()
    assert AlertRule.objects.get().webhook_url == rule.webhook_url


def test_a_rule_that_tells_nobody_is_refused(console, db):
    answer = console.post(ADD, FORM | {"emails": "", "webhook_url": ""})
    assert "Say whom to tell" in answer.content.decode()


def test_the_button_saves_and_sends_a_sample_and_says_what_came_of_it(console, rule, monkeypatch):
    sent = []
    monkeypatch.setattr(alert_sending, "send_sample", lambda row: sent.append(row.threshold) or ["It did not work."])
    page = f"/console/analytics/alertrule/{rule.pk}/change/"
    button = {"analytics_alertrule_send_sample": "1"}
    monkeypatch.setattr(alert_admin.transaction, "on_commit", lambda action, **_: action())  # a test never commits
    console.post(page, FORM | {"threshold": "70", "secret": ""} | button)
    assert sent == [70]
    assert "It did not work." in str(list(get_messages(console.get("/console/").wsgi_request)))


def test_a_new_rule_sends_a_sample_too(console, monkeypatch):
    sent = []
    monkeypatch.setattr(alert_sending, "send_sample", lambda row: sent.append(row.name) or [])
    monkeypatch.setattr(alert_admin.transaction, "on_commit", lambda action, **_: action())
    assert 'name="analytics_alertrule_send_sample"' in console.get(ADD).content.decode()
    assert console.post(ADD, FORM | {"analytics_alertrule_send_sample": "1"}).status_code == 302
    assert sent == ["Budgets"]
    assert "The sample was sent." in str(list(get_messages(console.get("/console/").wsgi_request)))


def test_what_was_raised_is_listed_and_cannot_be_changed(console, rule, django_assert_max_num_queries):
    for number in range(5):
        Alert.objects.create(rule=rule, subject=str(number), title=f"Matter {number}", text="x", raised_at=clock.now())
    with django_assert_max_num_queries(12):
        page = console.get("/console/analytics/alert/").content.decode()
    assert "Matter 4" in page
    assert console.get("/console/analytics/alert/add/").status_code == 403
    assert "5 raised" in console.get("/console/analytics/alertrule/").content.decode()
