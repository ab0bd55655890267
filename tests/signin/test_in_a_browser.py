"""The whole way in a real browser: an authenticator app, recovery codes, a passkey, as people meet them."""

import re
import time

import pytest

from tests import static_files
from tests.signin.browser import chromium
from tests.signin.codes import shown
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture
def console(start_proxx):
    """A running console with an owner `kim`, on localhost: passkeys need a name."""
    static_files.collect()
    proxx = start_proxx()
    proxx.run(f"from accounts.models import Operator; Operator.objects.create_superuser('kim', password={PASSWORD!r})")
    return f"http://localhost:{proxx.port}/console/"


@pytest.fixture
def browser(start_proxx):
    with chromium() as opened:
        yield opened
        assert opened.faults() == []


def sign_in(browser, console):
    browser.go(f"{console}login/")
    browser.type("login", "kim")
    browser.type("password", PASSWORD)
    browser.press("Sign in")


def sign_out(browser, console):
    browser.go(f"{console}account/")
    browser.driver.execute_script("document.getElementById('logout-form').submit()")
    browser.wait_for("Sign in to proxx")


def code_of(secret, *, ahead=0):
    """What the app shows; half a minute ahead is as far as a phone's clock may be, and no code counts twice."""
    return shown(secret, time.time() + ahead)


def test_an_authenticator_app_is_enrolled_and_used(browser, console):
    sign_in(browser, console)
    browser.wait_for("Overview")
    browser.go(f"{console}account/app/")
    secret = browser.driver.find_element("id", "totp-secret").text
    browser.type("code", code_of(secret))
    browser.press("Add it")
    browser.wait_for("Your recovery codes")
    codes = re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", browser.text)
    assert len(codes) == 10
    browser.press("Done, I have kept them")
    browser.wait_for("Where you are signed in")
    sign_out(browser, console)

    sign_in(browser, console)
    browser.wait_for("One more step")
    browser.type("code", codes[0])
    browser.press("Sign in")
    browser.wait_for("Overview")
    sign_out(browser, console)

    sign_in(browser, console)
    browser.wait_for("One more step")
    browser.type("code", code_of(secret, ahead=30))
    browser.press("Sign in")
    browser.wait_for("Overview")


def test_a_passkey_is_made_and_signs_in_alone(browser, console):
    browser.add_authenticator()
    sign_in(browser, console)
    browser.wait_for("Overview")
    browser.go(f"{console}account/passkeys/add/")
    browser.press("Continue")
    browser.wait_for("Your recovery codes")
    browser.press("Done, I have kept them")
    browser.wait_for("signs in alone")
    sign_out(browser, console)

    browser.press("Use a passkey")
    browser.wait_for("Overview")
    sign_out(browser, console)

    sign_in(browser, console)
    browser.wait_for("One more step")
    browser.press("Use a passkey instead")
    browser.wait_for("Overview")
