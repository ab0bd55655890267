"""Sign-ins as cookies and rows: rotation, limits, the list of one's own, their end (security B5)."""

import json
import subprocess
import sys

import pytest
from allauth.usersessions.models import UserSession
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import Operator
from accounts.signin import sessions
from analytics.consumers import PATH, traffic_socket
from tests.databases import ROOT
from tests.live import base_environment
from tests.signin.conftest import LOGIN, PASSWORD, own_page

pytestmark = pytest.mark.django_db
ACCOUNT = "/console/account/"
END = "/console/account/sign-ins/end/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOUR = 3600


def is_in(browser):
    return browser.get(ACCOUNT).status_code == 200


@pytest.fixture
def phone(sign_in):
    browser = Client(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.7")
    sign_in(browser)
    return browser


def test_signing_in_gives_a_new_session(client, sign_in):
    client.get(LOGIN)
    client.session["before"] = "planted"
    planted = client.session.session_key
    sign_in()
    assert client.session.session_key != planted


def test_the_session_cookie_is_for_the_server_alone(sign_in):
    cookie = sign_in().cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


COOKIES = "SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE"


@pytest.mark.parametrize(
    ("environment", "names", "secure"),
    [
        ({"PROXY_HOST": "127.0.0.1"}, ("proxx_session", "proxx_csrf"), False),
        ({"PROXY_HOST": "0.0.0.0"}, ("__Host-proxx_session", "__Host-proxx_csrf"), True),
        (
            {"PROXY_HOST": "127.0.0.1", "PROXY_PUBLIC_URL": "https://llm.example"},
            ("__Host-proxx_session", "__Host-proxx_csrf"),
            True,
        ),
    ],
)
def test_cookies_are_bound_to_the_host_wherever_there_is_tls(tmp_path, environment, names, secure):
    code = f"import json, proxx.settings.prod as s; print(json.dumps([s.{COOKIES}]))"
    known = {**base_environment(tmp_path), **environment}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=known, capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == [*names, secure, secure]


def test_a_sign_in_ends_when_it_was_idle_for_too_long(clock, client, sign_in):
    sign_in()
    clock.advance(7.9 * HOUR)
    assert is_in(client)
    clock.advance(8.1 * HOUR)
    assert not is_in(client)


def test_a_sign_in_ends_after_a_week_however_busy(clock, client, sign_in):
    sign_in()
    for _ in range(24):
        clock.advance(7 * HOUR)
        assert is_in(client)
    clock.advance(HOUR)
    assert not is_in(client)


def test_a_session_from_before_there_were_limits_is_over(client, kim):
    client.force_login(kim)
    marks = client.session
    del marks[sessions.SIGNED_IN]
    marks.save()
    assert not is_in(client)


def test_a_page_writes_to_the_session_once_a_minute_at_most(clock, client, sign_in, django_assert_max_num_queries):
    sign_in()
    client.get(ACCOUNT)
    seen = client.session[sessions.SEEN]
    clock.advance(30)
    client.get(ACCOUNT)
    assert client.session[sessions.SEEN] == seen
    clock.advance(31)
    client.get(ACCOUNT)
    assert client.session[sessions.SEEN] > seen


def test_one_sees_where_one_is_signed_in(client, sign_in, phone):
    sign_in()
    page = client.get(ACCOUNT).content.decode()
    assert "Firefox on Linux" in page
    assert "203.0.113.7" in page
    assert page.count("this one") == 1


def test_one_ends_a_sign_in_of_one_s_own(client, sign_in, phone, kim):
    sign_in()
    other = next(one for one in sessions.open_ones(kim, client.session.session_key) if not one.current)
    assert client.post(END, {"sign_in": other.id}).status_code == 302
    assert not is_in(phone)
    assert is_in(client)


def test_one_ends_all_others_at_once(client, sign_in, phone):
    sign_in()
    client.post(END, {"others": "1"})
    assert not is_in(phone)
    assert is_in(client)


def test_nobody_ends_the_sign_ins_of_others(client, phone, kim):
    client.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    client.post(END, {"sign_in": [row.pk for row in UserSession.objects.filter(user=kim)]})
    assert is_in(phone)


def test_all_sign_ins_of_an_operator_can_be_ended_by_the_server(client, sign_in, phone, kim):
    sign_in()
    assert sessions.end_all(kim) == 2
    assert not is_in(client)
    assert not is_in(phone)


def test_a_new_password_ends_the_other_sign_ins_and_keeps_this_one_in_the_list(client, sign_in, phone, kim):
    sign_in()
    new = "another long password"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/console/password_change/", fields).status_code == 302
    assert is_in(client)
    assert not is_in(phone)
    assert [one.current for one in sessions.open_ones(kim, client.session.session_key)] == [True]


def test_signing_out_ends_the_session_on_the_server(client, sign_in):
    sign_in()
    stolen = Client()
    stolen.cookies = client.cookies.copy()
    client.post("/console/logout/")
    assert not is_in(stolen)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.0", "curl/8.0"),
        ("", "Unknown"),
    ],
)
def test_a_device_is_named_in_words_people_use(agent, said):
    assert sessions.device(agent) == said


@pytest.mark.django_db(transaction=True)
async def test_a_sign_in_that_is_over_opens_no_socket_either(clock, client):
    root = await database_sync_to_async(Operator.objects.create_superuser)("root", password=PASSWORD)
    await database_sync_to_async(client.force_login)(root)
    headers = own_page(client)
    open_one = WebsocketCommunicator(traffic_socket, PATH, headers=headers)
    assert (await open_one.connect())[0]
    await open_one.disconnect()
    clock.advance(9 * HOUR)
    assert not (await WebsocketCommunicator(traffic_socket, PATH, headers=headers).connect())[0]
