"""From the button to the first answer, in a real browser, by every way to sign in: an operator connects an account at a
simulated issuer, issues a key, and a client's call is answered by the simulated backend, asked with that account.
"""

import pytest

from tests.oauth.in_chromium.driving import (
    away,
    broken,
    by_code,
    by_popup,
    connect,
    first_answer,
    forget_accounts,
    picture,
)
from tests.oauth.people import agree

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _alone(proxx):
    forget_accounts(proxx)


def is_the_chatgpt_backend(sent):
    return sent.path == "/backend-api/codex/responses" and sent.header("chatgpt-account-id") == "ws-1"


def is_factorys(sent):
    own = sent.header("user-agent"), sent.header("x-factory-client")
    return sent.path == "/api/llm/o/v1/chat/completions" and own == ("factory-cli/0.74.0", "cli")


def test_with_a_browser_from_the_button_to_the_first_answer(browser, proxx, issuer):
    email = f"{browser.theme}@example.com"
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("Waiting until")
    picture(browser, "3-browser")
    by_popup(browser, "ChatGPT (OpenAI)", email)
    browser.wait_for("Issue a key for clients")
    picture(browser, "5-connected")
    assert broken(browser) == []
    assert is_the_chatgpt_backend(first_answer(proxx, browser, issuer, "openai/sim-say", email))


def test_with_a_code_from_the_button_to_the_first_answer(browser, proxx, issuer):
    email = f"code-{browser.theme}@example.com"
    too_fast = issuer.too_fast
    connect(browser, proxx, "ChatGPT", "Get a code")
    by_code(browser, email)
    browser.wait_for(f"{email} is connected")
    assert issuer.too_fast == too_fast
    assert broken(browser) == []
    assert is_the_chatgpt_backend(first_answer(proxx, browser, issuer, "openai/sim-say", email))


def test_a_dead_page_is_copied_and_pasted_and_the_account_answers(browser, proxx, issuer):
    email = f"pasted-{browser.theme}@example.com"
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    browser.wait_for("copy its whole address")
    there = away(browser)
    browser.type("pasted", "https://example.com/nothing")
    browser.press("Finish")
    browser.wait_for("There is no code in it")
    picture(browser, "7-nothing-pasted")
    browser.type("pasted", agree(there, email))
    browser.press("Finish")
    browser.wait_for(f"{email} is connected")
    assert broken(browser) == []
    assert is_the_chatgpt_backend(first_answer(proxx, browser, issuer, "openai/sim-say", email))


def test_factory_with_a_browser_from_the_button_to_the_first_answer(browser, proxx, issuer):
    email = f"factory-{browser.theme}@example.com"
    connect(browser, proxx, "Factory", "Sign in with a browser")
    by_popup(browser, "Factory", email)
    browser.wait_for(f"{email} is connected")
    browser.press("Open the account")
    browser.wait_for(f"Signed in as {email}")
    picture(browser, "11-account")
    browser.press("Sign in again")
    browser.wait_for("If somebody else signs in")
    picture(browser, "12-again")
    assert broken(browser) == []
    assert is_factorys(first_answer(proxx, browser, issuer, "factory/sim-say", email))


def test_factory_with_a_code_from_the_button_to_the_first_answer(browser, proxx, issuer):
    email = f"factory-code-{browser.theme}@example.com"
    connect(browser, proxx, "Factory", "Get a code")
    by_code(browser, email)
    browser.wait_for(f"{email} is connected")
    assert broken(browser) == []
    assert is_factorys(first_answer(proxx, browser, issuer, "factory/sim-say", email))
