"""Codes that take their time, in a real browser: typed late or never, asked too fast, looked at from two tabs."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.oauth.in_chromium.driving import accounts, broken, by_code, connect, picture, stored
from tests.until import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("label", "says"),
    [("ChatGPT", "The code was not typed in time. Begin again."), ("Factory", "The time for this sign-in is over.")],
)
def test_a_code_that_nobody_types_in_time_stores_nothing(browser, proxx, issuer, monkeypatch, label, says):
    before = stored(proxx)
    monkeypatch.setattr(issuer, "lasts", 2.0)
    connect(browser, proxx, label, "Get a code")
    browser.wait_for("Waiting for you to agree")
    browser.wait_for(says)  # the page looks by itself
    browser.wait_for("Nothing was stored")
    picture(browser, f"13-too-late-{label}")
    assert stored(proxx) == before
    browser.press("Begin again")
    browser.wait_for("Get a code")
    assert broken(browser) == []


@pytest.mark.parametrize("label", ["ChatGPT", "Factory"])
def test_a_provider_that_wants_it_slower_is_asked_later_and_the_page_says_that_it_waits(light, proxx, issuer, label):
    email = f"slow-{label.lower()}@example.com"
    before, polls, too_fast = accounts(proxx), issuer.polls, issuer.too_fast
    issuer.slower = 1
    connect(light, proxx, label, "Get a code")
    light.wait_for("Waiting for you to agree")
    until(lambda: issuer.polls == polls + 1, seconds=20)
    for _ in range(3):
        light.press("Look now")
        light.wait_for("Waiting for you to agree")
    assert (issuer.polls, accounts(proxx)) == (polls + 1, before)  # nobody was asked again so soon
    by_code(light, email)
    light.wait_for(f"{email} is connected")
    assert (issuer.polls, issuer.too_fast) == (polls + 2, too_fast)


@pytest.mark.parametrize("label", ["ChatGPT", "Factory"])
def test_two_tabs_that_wait_for_one_code_lead_to_one_account(light, proxx, issuer, label):
    email = f"tabs-{label.lower()}@example.com"
    families, polls, too_fast = len(issuer.families), issuer.polls, issuer.too_fast
    connect(light, proxx, label, "Get a code")
    light.wait_for("Type this code there")
    first, page = light.driver.current_window_handle, light.driver.current_url
    light.driver.switch_to.new_window("tab")
    light.go(page)
    second = light.driver.current_window_handle
    by_code(light, email)
    for tab in (second, first):
        light.driver.switch_to.window(tab)
        light.wait_for(f"{email} is connected")
    light.driver.switch_to.window(second)
    light.driver.close()
    light.driver.switch_to.window(first)
    assert accounts(proxx).count(email) == 1
    assert (len(issuer.families), issuer.too_fast) == (families + 1, too_fast)
    assert issuer.polls > polls
    assert broken(light) == []


@pytest.mark.parametrize("label", ["ChatGPT", "Factory"])
def test_looks_while_the_provider_takes_long_to_answer_ask_nobody_else(light, proxx, issuer, monkeypatch, label):
    """Its answer brings the tokens, once: a second question would be told that the code is spent."""
    email = f"long-{label.lower()}@example.com"
    connect(light, proxx, label, "Get a code")
    light.wait_for("Type this code there")
    there = f"{light.driver.current_url}state/"
    cookies = {one["name"]: one["value"] for one in light.driver.get_cookies()}
    token = light.driver.find_element("name", "csrfmiddlewaretoken").get_attribute("value")
    code = light.driver.find_element("id", "user-code").text
    light.go("about:blank")  # only what is sent below looks

    def look():
        head = {"x-csrftoken": token, "referer": there}
        return httpx.post(there, cookies=cookies, headers=head, timeout=30).json()["over"]

    families, polls, interval_over = len(issuer.families), issuer.polls, time.monotonic() + 1.5
    issuer.approve(code, email=email, subject=f"sub-{email}")
    monkeypatch.setattr(issuer, "thinks", True)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(look)
        until(lambda: issuer.polls == polls + 1, seconds=20)
        until(lambda: look() or time.monotonic() > interval_over, seconds=20)
        assert look() is False
        issuer.thinks = False
        assert slow.result(30) is True
    assert (issuer.polls, len(issuer.families)) == (polls + 1, families + 1)
    assert accounts(proxx).count(email) == 1
