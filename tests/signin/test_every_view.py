"""What holds for every address of the console, found by walking the URL table itself (security B6)."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Operator
from proxx.asgi import SOCKETS
from tests import factories
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.django_db
# Where a page keeps what a browser is doing right now; no configuration, nobody's data.
OWN_BOOKS = ("django_session", "usersessions_usersession", "proxx_cache")
WRITES = re.compile(r"^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+[\"`]?(\w+)", re.IGNORECASE)
OPEN_TO_STRANGERS = (
    *("/", "/favicon.ico", "/console/login/", "/console/jsi18n/", "/admin/session"),
    "/console/connect/back/",  # where providers send browsers to: without a state it says so, and that is all
)
# That somebody took these away is written down.
TAKEN = ("/console/accounts/auditentry/csv/", "/console/accounts/auditentry/jsonl/", "/admin/traces/export.zip")
NOTES = {"accounts_auditentry", "accounts_audithead"}
BY_TOKEN = "/admin/session"  # tells whether one is signed in; a POST asks for the token itself, whatever cookies come


def addresses(patterns=None, prefix="/"):
    """Yield every address, with stand-ins for what varies."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + re.sub(r"^\^|\$$|\\Z", "", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route


def filled(route, ids):
    kinds = {"int": "1", "slug": "oidc", "uuid": str(ids), "path": str(ids), "str": str(ids)}
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: kinds.get(found[1] or "str", str(ids)), route)
    return re.sub(r"\(\?P<\w+>[^)]*\)", str(ids), route).replace("(.*)", "x").replace("?", "")


@pytest.fixture
def everything():
    key = factories.make_key(factories.make_tenant())
    found = sorted({filled(route, key.row.pk) for route in addresses()})
    assert len(found) > 60
    return found


@pytest.fixture
def owner(client):
    client.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    client.raise_request_exception = False
    return client


def test_no_view_changes_anything_by_get(owner, everything):
    changed = set()
    for address in everything:
        with CaptureQueriesContext(connection) as captured:
            owner.get(address)
        for query in captured:
            if (write := WRITES.match(query["sql"])) and write[2] not in OWN_BOOKS:
                changed.add((address, write[2]))
    changed -= {(address, table) for address in TAKEN for table in NOTES}
    assert changed == set()


def test_signing_out_by_get_does_nothing(owner):
    assert owner.get("/console/logout/").status_code == 405
    assert owner.get("/console/account/").status_code == 200


def test_every_view_refuses_a_post_without_the_page_s_own_token(everything):
    stranger = Client(enforce_csrf_checks=True, raise_request_exception=False)
    stranger.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    answers = {address: stranger.post(address, {"x": "y"}).status_code for address in everything}
    assert {address for address, status in answers.items() if status not in {403, 404, 405}} <= {BY_TOKEN}


def test_without_signing_in_every_page_leads_to_the_sign_in_page(client, everything):
    client.raise_request_exception = False
    for address in everything:
        if address.startswith(("/console/login/", "/static/")) or address in OPEN_TO_STRANGERS:
            continue
        answer = client.get(address)
        led = answer.status_code == 302 and answer["Location"].startswith(("/console/login/", "/console/"))
        refused = {404, 405} if address.startswith("/console/") else {401, 404, 405}
        assert led or answer.status_code in refused, (address, answer.status_code)


def test_no_page_may_be_framed(owner, everything):
    for address in everything:
        answer = owner.get(address)
        if address.startswith("/console/"):
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], address


async def test_every_socket_of_the_console_asks_where_its_page_came_from():
    from channels.testing import WebsocketCommunicator

    ours = [path for path in SOCKETS if path.startswith("/console/")]
    assert ours
    for path in ours:
        for origin in (None, b"https://evil.example", b"null"):
            headers = [(b"host", b"testserver"), *([(b"origin", origin)] if origin else [])]
            socket = WebsocketCommunicator(SOCKETS[path], path, headers=headers)
            connected, _ = await socket.connect()
            assert not connected
