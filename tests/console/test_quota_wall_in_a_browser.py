"""The quota wall in a real browser, light and dark: seen whole, pressed, counting down, nothing against the policy.

`WALL_PICTURES=folder` keeps a picture of each; `WALL_ACCOUNTS=200` makes so many.
"""

import os
from pathlib import Path

import pytest

from tests import static_files
from tests.live import running
from tests.signin.browser import in_the_console

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
PICTURES = os.environ.get("WALL_PICTURES", "")
COUNT = int(os.environ.get("WALL_ACCOUNTS", "20"))
PREPARED = f"""
from accounts.models import Operator
from tests.console import many_accounts
Operator.objects.create_superuser('kim', password={PASSWORD!r})
from accounts.models import Credential
Credential.objects.all().delete()
many_accounts.make({COUNT})
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory, templates, module_provider):
    """A console with accounts in every state."""
    folder = tmp_path_factory.mktemp("wall")
    static_files.collect()
    with running(folder / "proxx", templates, module_provider) as proxx:
        proxx.run(PREPARED)
        yield f"http://localhost:{proxx.port}/console/"


@pytest.fixture(scope="module", params=["light", "dark"])
def browser(console, request):
    """Somebody signed in, in a light or a dark room."""
    with in_the_console(console, PASSWORD, theme=request.param) as opened:
        yield opened


def picture(browser, name):
    if PICTURES:
        height = browser.driver.execute_script("return document.documentElement.scrollHeight")
        browser.driver.set_window_size(1440, max(900, min(height + 160, 4000)))
        browser.driver.save_screenshot(str(Path(PICTURES) / f"{name}-{COUNT}-{browser.theme}.png"))
        browser.driver.set_window_size(1440, 1400)


def test_the_wall_is_seen_and_breaks_nothing(browser, console):
    browser.go(f"{console}quota/")
    browser.wait_for("Ask every account what is left")
    cards = browser.driver.find_elements("css selector", ".qw-card")
    assert len(cards) == min(COUNT, 200)
    picture(browser, "wall")
    browser.go(f"{console}quota/?sanitized=1")
    assert "@team.example" not in browser.driver.find_element("id", "dashboard").text
    picture(browser, "sanitized")
    browser.go(f"{console}quota/?sanitized=0")
    assert browser.faults() == []


def test_countdowns_run_on_and_a_button_does_what_it_says(browser, console):
    browser.go(f"{console}quota/?q=.000@")
    script = "document.querySelector('time[data-until]').dataset.until = Date.now() / 1000 + 12"
    browser.driver.execute_script(script)
    browser.wait(lambda: browser.driver.find_element("css selector", "time[data-until]").text.endswith(" s"))
    browser.press("Switch off")
    browser.wait_for("is switched off.")
    assert "q=.000" in browser.path
    browser.press("Switch on")
    browser.wait_for("is switched on.")
    assert browser.faults() == []
