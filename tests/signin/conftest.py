"""An operator with a password, and the way in by it."""

import pytest

from accounts.models import Operator

PASSWORD = "a long password for tests"
LOGIN = "/console/login/"


@pytest.fixture
def kim(db):
    return Operator.objects.create_user("kim", email="kim@example.com", password=PASSWORD, is_staff=True)


@pytest.fixture
def sign_in(client, kim):
    """Sign kim in by the form, in the given browser or the test's own."""

    def by_form(browser=client, *, password=PASSWORD, name="kim", **more):
        return browser.post(LOGIN, {"login": name, "password": password}, **more)

    return by_form


def own_page(browser):
    """Return the headers of a socket that a page of that browser opens."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items()).encode()
    return [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie)]
