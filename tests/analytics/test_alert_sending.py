"""Alerts reach a receiver over a real socket, signed; what fails is tried again, and no secret is shown."""

import hmac
import json
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from accounts.fields import reveal
from analytics import alert_sending
from analytics.alert import Alert, AlertRule
from proxx.kit import clock as clocks

SECRET = "a-webhook-secret-0123456789"


class Receiver:
    """What an address was sent, and what it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.url = self.origin = ""


@pytest.fixture
def receiver():
    found = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("location", found.url)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        found.origin = f"http://127.0.0.1:{server.server_address[1]}"
        found.url = f"{found.origin}/hook?of=ours"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def alert(**fields) -> Alert:
    usual = {"name": "rule", "kind": "budget", "secret": SECRET}
    rule = AlertRule.objects.create(**usual | fields)
    now = clocks.now()
    return Alert.objects.create(rule=rule, subject="s", title="Title", text="Text", raised_at=now, next_try_at=now)


@pytest.fixture
def listed(receiver, settings):
    settings.PROXY_WEBHOOK_ORIGINS = (receiver.origin,)
    return receiver


def test_a_webhook_is_signed_with_the_rules_secret_and_its_moment(db, listed):
    row = alert(webhook_url=listed.url)
    assert alert_sending.deliver() == 1
    ((headers, body),) = listed.taken
    told = json.loads(body)
    assert (told["event"], told["id"], told["title"], told["kind"]) == ("alert.raised", str(row.pk), "Title", "budget")
    stamp = headers["x-proxx-timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    assert headers["x-proxx-signature"] == f"v1={expected}"
    assert abs(int(stamp) - clocks.unix()) < 60
    row.refresh_from_db()
    assert (row.next_try_at, row.fault) == (None, "")
    assert alert_sending.deliver() == 0
    assert len(listed.taken) == 1


def test_what_fails_is_tried_again_with_longer_pauses_and_given_up_in_the_end(db, listed, clock):
    row, listed.status = alert(webhook_url=listed.url), 503
    for tries in range(1, alert_sending.TRIES):
        assert alert_sending.deliver() == 0
        assert (alert_sending.deliver(), len(listed.taken)) == (0, tries)
        row.refresh_from_db()
        assert row.fault == "The address answered 503."
        assert row.next_try_at == clocks.now() + alert_sending.FIRST_PAUSE * 2 ** (tries - 1)
        clock.advance((row.next_try_at - clocks.now()).total_seconds())
    alert_sending.deliver()
    row.refresh_from_db()
    assert (row.next_try_at, row.tries, len(listed.taken)) == (None, alert_sending.TRIES, alert_sending.TRIES)


def test_an_e_mail_that_went_out_is_not_repeated_for_the_webhooks_sake(db, listed, settings, clock):
    settings.PROXY_MAIL_URL = "smtp://mail.example"
    row, listed.status = alert(webhook_url=listed.url, emails="a@example.com\nb@example.com"), 500
    alert_sending.deliver()
    row.refresh_from_db()
    clock.advance(61)
    listed.status = 200
    assert alert_sending.deliver() == 1
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["a@example.com", "b@example.com"], "[proxx] Title")


def test_without_a_mail_server_the_page_says_so(db):
    row = alert(emails="a@example.com")
    alert_sending.deliver()
    row.refresh_from_db()
    assert row.fault == "The e-mail was not sent: PROXY_MAIL_URL is not set."


def test_an_address_inside_is_refused_unless_it_is_listed(db, receiver, settings):
    settings.PROXY_WEBHOOK_ORIGINS = ()
    rule = alert(webhook_url=receiver.url).rule
    assert "https://" in alert_sending.send_sample(rule)[0]
    rule.webhook_url = receiver.url.replace("http://", "https://")
    assert alert_sending.send_sample(rule) == ["The address leads inside; list its origin in PROXY_WEBHOOK_ORIGINS."]
    assert receiver.taken == []


def test_a_redirect_is_not_followed(db, listed):
    listed.status = 307
    assert alert_sending.send_sample(alert(webhook_url=listed.url).rule) == ["The address answered 307."]
    assert len(listed.taken) == 1


def test_without_a_secret_nothing_is_sent(db, listed):
    rule = alert(webhook_url=listed.url, secret="").rule
    assert alert_sending.send_sample(rule) == ["The webhook has no secret to sign with."]
    assert listed.taken == []
    with pytest.raises(ValidationError, match="needs a secret"):
        rule.full_clean()


def test_the_secret_is_sealed(db):
    row = AlertRule.objects.get(pk=alert(webhook_url="https://hooks.example").rule.pk)
    assert (SECRET in row.secret, row.secret_tail, reveal(row).reveal()) == (False, SECRET[-4:], SECRET)


@pytest.mark.parametrize(
    "fields",
    [{}, {"emails": "nobody"}, {"webhook_url": "http://hooks.example"}, {"webhook_url": "https://u:p@hooks.example"}],
)
def test_a_rule_that_could_reach_nobody_is_refused(db, fields):
    with pytest.raises(ValidationError):
        AlertRule(name="x", secret=SECRET, **fields).full_clean()
