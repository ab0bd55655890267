"""From the list of calls to one in full, to what comes in live, as people walk it."""

import pytest

from tests import static_files
from tests.signin.browser import chromium
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture
def browser(start_proxx):
    with chromium() as opened:
        yield opened
        assert opened.faults() == []


def test_a_call_is_found_read_tagged_and_followed(browser, start_proxx):
    static_files.collect()
    proxx = start_proxx()
    proxx.run(f"from accounts.models import Operator; Operator.objects.create_superuser('kim', password={PASSWORD!r})")
    assert proxx.chat()[0] == 200
    proxx.wait_for_rows("SELECT id FROM analytics_requestlog", 1)
    find = browser.driver.find_element

    browser.go(f"{proxx.origin}/console/analytics/requestlog/")
    browser.type("login", "kim")
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.wait_for("sim-echo")
    browser.type("q", "nobody/knows-this")
    browser.press("Search")
    browser.wait_for("No request fits these filters.")
    assert browser.path.endswith("?asked=nobody%2Fknows-this")
    browser.press("Clear all")
    browser.wait_for("sim-echo")

    browser.press("Go live")
    browser.wait(lambda: find("id", "calls-state").text == "live")
    assert proxx.chat(model="openai/sim-say")[0] == 200
    browser.wait_for("sim-say")
    browser.press("Pause")

    find("css selector", "#calls-rows a").click()
    browser.wait_for("The answer was complete")
    for words in ("Why this account", "It was the only candidate.", "Nothing was dropped.", "has_agent_markers"):
        assert (words in browser.text) is (words != "has_agent_markers"), words
    browser.type("add", "look again")
    browser.press("Add")
    browser.wait_for("look again")
    browser.go(f"{proxx.origin}/console/analytics/requestlog/?tag=look+again")
    browser.wait_for("sim-say")
    assert len(browser.driver.find_elements("css selector", "#calls-rows tr")) == 1
