"""Every dashboard in a real browser, light and dark: charts drawn, nothing broken, nothing against the page's policy.

`DASHBOARD_PICTURES=folder` keeps a picture of each.
"""

import os
from pathlib import Path

import pytest

from proxx.console.dashboards.views import PAGES
from tests import static_files
from tests.live import running
from tests.signin.browser import in_the_console

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
PICTURES = os.environ.get("DASHBOARD_PICTURES", "")
PREPARED = f"""
from accounts.models import Operator
from tests.analytics import year
Operator.objects.create_superuser('kim', password={PASSWORD!r})
year.make(hours=24 * 8, minutes=60)
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory, templates, module_provider):
    """A console with a year of traffic."""
    folder = tmp_path_factory.mktemp("dashboards")
    static_files.collect()
    with running(folder / "proxx", templates, module_provider) as proxx:
        proxx.run(PREPARED)
        yield f"http://localhost:{proxx.port}/console/"


@pytest.fixture(scope="module", params=["light", "dark"])
def browser(console, request):
    """Somebody signed in, in a light or a dark room."""
    with in_the_console(console, PASSWORD, theme=request.param) as opened:
        yield opened


def drawn(browser):
    """Return how many charts there are, once all are drawn."""
    script = """
        const canvases = document.querySelectorAll('canvas[data-chart]').length;
        const said = document.getElementById('dashboard').dataset.drawn;
        return said === String(canvases) ? canvases : null;
    """
    return browser.wait(lambda: (found := browser.driver.execute_script(script)) is not None and [found])[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_dashboard_draws_its_charts_and_breaks_nothing(browser, console, name):
    browser.go(f"{console}dashboards/{name}/?period=30d")
    charts = drawn(browser)
    assert charts >= 2
    is_dark = browser.driver.execute_script("return document.documentElement.classList.contains('dark')")
    assert is_dark == (browser.theme == "dark")
    if PICTURES:
        height = browser.driver.execute_script("return document.documentElement.scrollHeight")
        browser.driver.set_window_size(1440, max(1000, min(height + 160, 3200)))
        browser.driver.save_screenshot(str(Path(PICTURES) / f"{name}-{browser.theme}.png"))
        browser.driver.set_window_size(1440, 1400)
    assert browser.faults() == []


def test_the_period_is_chosen_with_the_keyboard_and_stays_in_the_address(browser, console):
    browser.go(f"{console}dashboards/overview/?model=gpt-5.4")
    link = browser.driver.find_element("xpath", "//nav[@aria-label='Time range']/a[normalize-space()='7 days']")
    browser.driver.execute_script("arguments[0].focus()", link)
    browser.driver.switch_to.active_element.send_keys("\n")
    browser.wait(lambda: "period=7d" in browser.path)
    assert "model=gpt-5.4" in browser.path
    drawn(browser)
    assert browser.faults() == []


def test_a_page_that_refreshes_itself_takes_the_newer_figures_in(browser, console):
    browser.go(f"{console}dashboards/traffic/?refresh=on")
    drawn(browser)
    # A second is as good as half a minute; the mark is gone once the page came anew.
    browser.driver.execute_script("""
        const page = document.getElementById('dashboard');
        page.dataset.old = 'yes'; page.dataset.refresh = '1';
        document.documentElement.dispatchEvent(new Event('proxx:refresh'));
    """)
    browser.wait(lambda: not browser.driver.execute_script("return document.getElementById('dashboard').dataset.old"))
    drawn(browser)
    assert browser.faults() == []
