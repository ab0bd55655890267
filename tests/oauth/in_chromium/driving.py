"""What somebody does who connects an account: in the console, at the provider's pages, and back.

`SIGN_IN_PICTURES=folder` keeps a picture of each step, light and dark.
"""

import json
import os
from pathlib import Path

PASSWORD = "correct horse battery staple"
PICTURES = os.environ.get("SIGN_IN_PICTURES", "")
PREPARED = f"""
from accounts.models import Operator
Operator.objects.create_superuser('kim', password={PASSWORD!r})
Operator.objects.create_superuser('robin', password={PASSWORD!r})
"""


class Accepted(set):
    """The tokens that the simulated backend takes: those that the issuer stands for."""

    def __init__(self, issuer):
        super().__init__()
        self.issuer = issuer

    def __contains__(self, token):
        return self.issuer.accepts(token)


def console(proxx):
    return f"http://127.0.0.1:{proxx.port}/console"


def sign_in(browser, proxx, name):
    browser.go(f"{console(proxx)}/login/")
    browser.type("login", name)
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.wait_for("Live")


def picture(browser, name):
    if PICTURES:
        height = browser.driver.execute_script("return document.documentElement.scrollHeight")
        browser.driver.set_window_size(1280, max(900, min(height + 140, 3000)))
        browser.driver.save_screenshot(str(Path(PICTURES) / f"{name}-{browser.theme}.png"))
        browser.driver.set_window_size(1280, 1100)


def broken(browser):
    """Return what broke on the pages so far; a refusal is told with status 400."""
    return [one for one in browser.faults() if "400 (Bad Request)" not in one]


def connect(browser, proxx, label, press):
    """Go from the console's first page to a sign-in under way."""
    browser.go(f"{console(proxx)}/")
    browser.driver.find_element("partial link text", "Connect an account").click()
    browser.wait_for("The provider's terms apply")
    picture(browser, "1-providers")
    browser.driver.find_element("partial link text", label).click()
    browser.wait_for("With tokens that you have")
    picture(browser, f"2-ways-{label.split()[0]}")
    browser.press(press)


def away(browser):
    """Return where the page of a sign-in sends its browser."""
    browser.wait_for("Waiting until")
    return browser.driver.find_element("css selector", "[data-popup]").get_attribute("href")


def other_window(browser, *, but):
    """Switch to the window that was opened just now."""
    opened = browser.wait(lambda: [one for one in browser.driver.window_handles if one not in but])
    browser.driver.switch_to.window(opened[0])


def agree_there(browser, email, *, press="Agree"):
    browser.wait_for("Simulated sign-in")
    browser.driver.find_element("name", "email").clear()
    browser.type("email", email)
    browser.press(press)


def by_popup(browser, label, email):
    """Sign in at the provider in a window of its own, and come back to the console's."""
    browser.wait_for("Waiting until")
    mine = browser.driver.window_handles
    browser.press(f"Sign in at {label}")
    other_window(browser, but=mine)
    agree_there(browser, email)
    browser.wait_for(f"{email} is connected")
    picture(browser, "4-back")
    assert "/console/connect/back/" in browser.driver.current_url
    browser.wait(lambda: len(browser.driver.window_handles) == len(mine))  # it closed by itself
    browser.driver.switch_to.window(mine[0])


def by_code(browser, email, *, press="Agree"):
    """Type the code that the page shows at the provider, in another tab, and come back."""
    browser.wait_for("Type this code there")
    picture(browser, "6-device")
    code = browser.driver.find_element("id", "user-code").text
    here, mine = browser.driver.current_window_handle, browser.driver.window_handles
    browser.driver.find_element("css selector", ".px-todo a").click()
    other_window(browser, but=mine)
    browser.wait_for("Type the code")
    browser.driver.find_element("name", "user_code").clear()
    browser.type("user_code", code)
    browser.type("email", email)
    browser.press(press)
    browser.wait_for("Go back to where you came from")
    browser.driver.close()
    browser.driver.switch_to.window(here)


def forget_accounts(proxx):
    """Delete the accounts of other tests, so that a call can go to the one that is connected next only."""
    _, _, body = proxx.request("GET", "/api/v1/credentials?limit=100")
    for row in json.loads(body)["data"]:
        status, _, said = proxx.request("DELETE", f"/api/v1/credentials/{row['id']}")
        assert status in (200, 204), said


def accounts(proxx):
    """Return whose accounts are stored."""
    return [one for (one,) in proxx.rows("select email from oauth_oauthaccount order by email")]


def stored(proxx):
    """Return whose accounts are stored, and how many sign-ins hold anything that would let somebody finish them."""
    return accounts(proxx), proxx.rows("select count(*) from oauth_pendinglogin where secret <> ''")


def first_answer(proxx, browser, issuer, model, email):
    """Issue a key in the console and ask with it; return what the backend was asked, with this person's token."""
    browser.go(f"{console(proxx)}/accounts/apikey/add/")
    browser.type("label", f"first-{browser.theme}")
    browser.press("Issue key")
    browser.wait_for("Your new key")
    token = browser.driver.find_element("id", "token").text
    asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    head = {"authorization": f"Bearer {token}"}

    said = []

    def answered():
        status, _, body = proxx.request("POST", "/v1/chat/completions", asked, head)
        said.append(body)
        return body if status == 200 else None

    try:
        browser.wait(answered)
    except Exception as never:
        raise AssertionError(said[-1]) from never
    sent = proxx.provider.journal.last
    shown = sent.header("authorization").removeprefix("Bearer ")
    assert issuer.accepts(shown)
    assert issuer.accesses[shown][0].person["email"] == email
    return sent
