"""What comes back wrong, twice or too late, in a real browser: the right words, and nothing stored."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.oauth.in_chromium.driving import (
    accounts,
    agree_there,
    away,
    by_code,
    connect,
    other_window,
    picture,
    sign_in,
    stored,
)
from tests.oauth.people import agree
from tests.signin.browser import chromium

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("label", ["ChatGPT (OpenAI)", "Factory"])
def test_consent_that_is_denied_stores_nothing(browser, proxx, issuer, label):
    before = stored(proxx)
    connect(browser, proxx, label, "Sign in with a browser")
    mine = browser.driver.window_handles
    browser.wait_for("Waiting until")
    browser.press(f"Sign in at {label}")
    other_window(browser, but=mine)
    agree_there(browser, "nobody@example.com", press="Deny")
    browser.wait_for("The <b>user</b> said no")
    picture(browser, "8-denied")
    browser.driver.close()
    browser.driver.switch_to.window(mine[0])
    browser.wait_for("Nothing was stored")
    picture(browser, "9-not-connected")
    assert stored(proxx) == before


@pytest.mark.parametrize("label", ["ChatGPT", "Factory"])
def test_a_code_that_somebody_refuses_stores_nothing(light, proxx, issuer, label):
    before = stored(proxx)
    connect(light, proxx, label, "Get a code")
    by_code(light, "nobody@example.com", press="Deny")
    light.wait_for("Whoever typed the code did not agree")
    light.wait_for("Nothing was stored")
    assert stored(proxx) == before


def test_a_replayed_callback_shows_the_result_and_a_forged_one_an_error(browser, proxx, issuer):
    connect(browser, proxx, "ChatGPT", "Sign in with a browser")
    back = agree(away(browser), f"again-{browser.theme}@example.com")
    exchanges = issuer.exchanges
    for _ in range(2):
        browser.go(back)
        browser.wait_for("is connected")
    assert issuer.exchanges == exchanges + 1
    browser.go(back.partition("?")[0] + "?code=abc&state=forged-forged-forged")
    browser.wait_for("This sign-in is not known")
    picture(browser, "10-forged")


def test_a_code_that_the_issuer_no_longer_takes_stores_nothing(light, proxx, issuer):
    before = stored(proxx)
    connect(light, proxx, "ChatGPT", "Sign in with a browser")
    back = agree(away(light), "late@example.com")
    issuer.codes.clear()
    page = light.driver.current_url
    light.go(back)
    light.wait_for("This code is not good")
    light.wait_for("Nothing was changed")
    light.go(page)
    light.wait_for("Nothing was stored")
    assert stored(proxx) == before


def test_a_pasted_address_of_another_sign_in_is_refused_and_both_stay_open(light, proxx, issuer):
    before, exchanges = accounts(proxx), issuer.exchanges
    connect(light, proxx, "Factory", "Sign in with a browser")
    theirs = agree(away(light), "other@example.com")
    connect(light, proxx, "ChatGPT", "Sign in with a browser")
    mine = away(light)
    light.type("pasted", theirs)
    light.press("Finish")
    light.wait_for("its state does not match")
    assert (accounts(proxx), issuer.exchanges) == (before, exchanges)
    light.type("pasted", agree(mine, "mine@example.com"))
    light.press("Finish")
    light.wait_for("mine@example.com is connected to ChatGPT")
    light.go(theirs)
    light.wait_for("other@example.com is connected to Factory")


def test_another_operators_sign_in_is_not_finished_in_this_browser(browser, proxx, issuer):
    with chromium() as other:
        other.theme = "other"
        sign_in(other, proxx, "robin")
        connect(other, proxx, "ChatGPT", "Sign in with a browser")
        there = away(other)
    exchanges = issuer.exchanges
    browser.go(agree(there, "robin@example.com"))
    browser.wait_for("Somebody else began this sign-in")
    assert issuer.exchanges == exchanges


def test_arrivals_at_the_same_moment_share_one_exchange(light, proxx, issuer):
    connect(light, proxx, "ChatGPT", "Sign in with a browser")
    back = agree(away(light), "parallel@example.com")
    cookies = {one["name"]: one["value"] for one in light.driver.get_cookies()}
    exchanges = issuer.exchanges

    def arrive(_):
        return httpx.get(back, cookies=cookies, follow_redirects=True, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(arrive, range(6)))
    assert [one.status_code for one in answers] == [200] * 6
    assert all("is connected" in one.text for one in answers)
    assert issuer.exchanges == exchanges + 1


def test_one_person_who_signs_in_many_times_at_once_is_one_account(proxx, issuer):
    wish = {"sign_in": "openai", "method": "browser"}
    begun = [httpx.post(f"{proxx.origin}/api/v1/sign-ins", json=wish, headers=admin(proxx)).json() for _ in range(6)]
    back = [agree(one["url"], "twin@example.com") for one in begun]

    def complete(pair):
        row, address = pair
        there = f"{proxx.origin}/api/v1/sign-ins/{row['id']}/complete"
        return httpx.post(there, json={"input": address}, headers=admin(proxx), timeout=30).json()

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(complete, zip(begun, back, strict=True)))
    assert [(one["status"], one["fault"]) for one in said] == [("done", "")] * 6, proxx.log[-6000:]
    assert accounts(proxx).count("twin@example.com") == 1


def admin(proxx):
    return {"authorization": f"Bearer {proxx.token}"}
