"""From the button to the first answer, in a real browser: an operator connects an account at a simulated issuer,
issues a key, and a client's call is answered by the simulated ChatGPT backend.

`SIGN_IN_PICTURES=folder` keeps a picture of each step, light and dark.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests import static_files
from tests.live import running
from tests.oauth.people import agree
from tests.ports import free_port
from tests.signin.browser import chromium
from tests.upstreams.signin_pages import IssuerWithPages

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
PICTURES = os.environ.get("SIGN_IN_PICTURES", "")
PREPARED = f"""
from accounts.models import Operator
Operator.objects.create_superuser('kim', password={PASSWORD!r})
Operator.objects.create_superuser('robin', password={PASSWORD!r})
"""


@pytest.fixture(scope="module")
def issuer():
    with IssuerWithPages() as issuer:
        yield issuer


class Accepted(set):
    """The tokens that the simulated backend takes: those that the issuer stands for."""

    def __init__(self, issuer):
        super().__init__()
        self.issuer = issuer

    def __contains__(self, token):
        return self.issuer.accepts(token)


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider, issuer):
    """A server whose loopback port is open, and whose ChatGPT accounts are asked at the simulated backend."""
    folder = tmp_path_factory.mktemp("signing-in")
    module_provider.world.keys = Accepted(issuer)
    static_files.collect()
    env = {
        **issuer.environment,
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": f"{module_provider.origin}/backend-api",
        "OPENAI_OAUTH_CALLBACK_PORT": str(free_port()),
        "PROXY_OAUTH_CALLBACK_LISTENER": "on",
    }
    with running(folder / "proxx", templates, module_provider, env=env) as proxx:
        proxx.run(PREPARED)
        yield proxx


@pytest.fixture(scope="module", params=["light", "dark"])
def browser(proxx, request):
    """Kim, signed in, in a light or a dark room."""
    with chromium(dark=request.param == "dark") as opened:
        opened.theme = request.param
        opened.driver.set_window_size(1280, 1100)
        sign_in(opened, proxx, "kim")
        opened.faults()
        yield opened


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
    """Go from the console's first page to a sign-in under way; return its page's window."""
    browser.go(f"{console(proxx)}/")
    browser.driver.find_element("partial link text", "Connect an account").click()
    browser.wait_for("The provider's terms apply")
    picture(browser, "1-providers")
    browser.driver.find_element("partial link text", label).click()
    browser.wait_for("With tokens that you have")
    picture(browser, f"2-ways-{label.split()[0]}")
    browser.press(press)


def other_window(browser, *, but):
    """Switch to the window that was opened just now."""
    opened = browser.wait(lambda: [one for one in browser.driver.window_handles if one not in but])
    browser.driver.switch_to.window(opened[0])


def agree_there(browser, email, *, press="Agree"):
    browser.wait_for("Simulated sign-in")
    browser.driver.find_element("name", "email").clear()
    browser.type("email", email)
    browser.press(press)


def first_answer(proxx, browser):
    """Issue a key in the console and ask with it; return the answer of the backend and what it was sent."""
    browser.go(f"{console(proxx)}/accounts/apikey/add/")
    browser.type("label", f"first-{browser.theme}")
    browser.press("Issue key")
    browser.wait_for("Your new key")
    token = browser.driver.find_element("id", "token").text
    asked = {"model": "openai/sim-say", "messages": [{"role": "user", "content": "Hello"}]}
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
    return proxx.provider.journal.last


def test_with_a_browser_from_the_button_to_the_first_answer(browser, proxx, issuer):
    email = f"{browser.theme}@example.com"
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("Waiting until")
    picture(browser, "3-browser")
    mine = browser.driver.window_handles
    browser.press("Sign in at ChatGPT (OpenAI)")
    other_window(browser, but=mine)
    agree_there(browser, email)
    browser.wait_for(f"{email} is connected")
    picture(browser, "4-back")
    assert browser.driver.current_url.startswith(console(proxx))  # come by way of the loopback port
    browser.wait(lambda: len(browser.driver.window_handles) == len(mine))  # it closed by itself
    browser.driver.switch_to.window(mine[0])
    browser.wait_for("Issue a key for clients")
    picture(browser, "5-connected")
    assert broken(browser) == []

    sent = first_answer(proxx, browser)
    assert sent.path == "/backend-api/codex/responses"
    assert sent.header("chatgpt-account-id") == "ws-1"
    assert issuer.accepts(sent.header("authorization").removeprefix("Bearer "))


def test_with_a_code_from_the_button_to_the_account(browser, proxx, issuer):
    email = f"code-{browser.theme}@example.com"
    connect(browser, proxx, "ChatGPT", "Get a code")
    browser.wait_for("Type this code there")
    picture(browser, "6-device")
    code = browser.driver.find_element("id", "user-code").text
    mine = browser.driver.window_handles
    browser.press(f"{issuer.origin}/codex/device")
    other_window(browser, but=mine)
    browser.type("user_code", code)
    browser.type("email", email)
    browser.press("Agree")
    browser.wait_for("Go back to where you came from")
    browser.driver.close()
    browser.driver.switch_to.window(mine[0])
    browser.wait_for(f"{email} is connected")
    assert issuer.too_fast == 0
    assert broken(browser) == []


def test_a_dead_page_is_copied_and_pasted(browser, proxx, issuer):
    email = f"pasted-{browser.theme}@example.com"
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("copy its whole address")
    away = browser.driver.find_element("css selector", "[data-popup]").get_attribute("href")
    browser.type("pasted", "https://example.com/nothing")
    browser.press("Finish")
    browser.wait_for("There is no code in it")
    picture(browser, "7-nothing-pasted")
    browser.type("pasted", agree(away, email))
    browser.press("Finish")
    browser.wait_for(f"{email} is connected")
    assert broken(browser) == []


def test_consent_that_is_denied_stores_nothing(browser, proxx, issuer):
    before = proxx.rows("select count(*) from accounts_credential")
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    mine = browser.driver.window_handles
    browser.wait_for("Waiting until")
    browser.press("Sign in at ChatGPT (OpenAI)")
    other_window(browser, but=mine)
    agree_there(browser, "nobody@example.com", press="Deny")
    browser.wait_for("The <b>user</b> said no")
    picture(browser, "8-denied")
    browser.driver.close()
    browser.driver.switch_to.window(mine[0])
    browser.wait_for("Nothing was stored")
    picture(browser, "9-not-connected")
    assert proxx.rows("select count(*) from accounts_credential") == before


def test_a_replayed_callback_shows_the_result_and_a_forged_one_an_error(browser, proxx, issuer):
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("Waiting until")
    away = browser.driver.find_element("css selector", "[data-popup]").get_attribute("href")
    back = agree(away, f"again-{browser.theme}@example.com")
    exchanges = issuer.exchanges
    for _ in range(2):
        browser.go(back)
        browser.wait_for("is connected")
    assert issuer.exchanges == exchanges + 1
    browser.go(back.partition("?")[0] + "?code=abc&state=forged-forged-forged")
    browser.wait_for("This sign-in is not known")
    picture(browser, "10-forged")


def test_factory_by_its_own_pages(browser, proxx, issuer):
    email = f"factory-{browser.theme}@example.com"
    connect(browser, proxx, "Factory", "Sign in with a browser")
    mine = browser.driver.window_handles
    browser.wait_for("Waiting until")
    browser.press("Sign in at Factory")
    other_window(browser, but=mine)
    agree_there(browser, email)
    browser.wait_for(f"{email} is connected")
    browser.driver.switch_to.window(mine[0])
    browser.wait_for(f"{email} is connected")
    browser.press("Open the account")
    browser.wait_for(f"Signed in as {email}")
    picture(browser, "11-account")
    browser.press("Sign in again")
    browser.wait_for("If somebody else signs in")
    picture(browser, "12-again")
    assert broken(browser) == []


def test_another_operators_sign_in_is_not_finished_in_this_browser(browser, proxx, issuer):
    with chromium() as other:
        other.theme = "other"
        sign_in(other, proxx, "robin")
        connect(other, proxx, "ChatGPT", "Sign in with a browser")
        other.wait_for("Waiting until")
        away = other.driver.find_element("css selector", "[data-popup]").get_attribute("href")
    exchanges = issuer.exchanges
    browser.go(agree(away, "robin@example.com"))
    browser.wait_for("Somebody else began this sign-in")
    assert issuer.exchanges == exchanges


def test_arrivals_at_the_same_moment_share_one_exchange(browser, proxx, issuer):
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("Waiting until")
    away = browser.driver.find_element("css selector", "[data-popup]").get_attribute("href")
    back = agree(away, f"parallel-{browser.theme}@example.com")
    cookies = {one["name"]: one["value"] for one in browser.driver.get_cookies()}
    exchanges = issuer.exchanges

    def arrive(_):
        return httpx.get(back, cookies=cookies, follow_redirects=True, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(arrive, range(6)))
    assert [one.status_code for one in answers] == [200] * 6
    assert all("is connected" in one.text for one in answers)
    assert issuer.exchanges == exchanges + 1
