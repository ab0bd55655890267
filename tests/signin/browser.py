"""A headless Chromium in the hand of a test, with a virtual authenticator for passkeys.

Where there is no browser the tests are skipped with the reason; in CI a missing one is a failure.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
PATIENCE = 20  # seconds, generous: two cores run everything
GONE = "does not belong to the document"  # as Chromium says it of a node


@contextlib.contextmanager
def chromium(*, dark: bool = False) -> Iterator["Browser"]:
    """Start a browser for a `with` block."""
    if not (CHROMIUM and DRIVER):
        missing = "Chromium and its chromedriver are not installed"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"):
        options.add_argument(argument)
    if dark:
        options.add_argument("--force-prefers-color-scheme=dark")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@contextlib.contextmanager
def in_the_console(console: str, password: str, *, theme: str) -> Iterator["Browser"]:
    """Start a large browser, `light` or `dark`, in which the operator kim has signed in."""
    with chromium(dark=theme == "dark") as opened:
        opened.theme = theme
        opened.driver.set_window_size(1440, 1400)
        opened.go(f"{console}login/")
        opened.type("login", "kim")
        opened.type("password", password)
        opened.press("Sign in")
        opened.wait_for("Live")
        opened.faults()
        yield opened


class Browser:
    """What a person does: look, type, press."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def go(self, address: str) -> None:
        """Open a page."""
        self.driver.get(address)

    def type(self, name: str, text: str) -> None:
        """Fill the field of that name."""
        self.driver.find_element("name", name).send_keys(text)

    def press(self, text: str) -> None:
        """Press the button, or follow the link, that says so."""
        says = f"normalize-space()='{text}'"
        self.driver.find_element("xpath", f"//button[{says}] | //a[{says}]").click()

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Look until something is so; raise TimeoutException."""
        from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
        from selenium.webdriver.support.wait import WebDriverWait

        def holds() -> Any:
            try:
                return condition()
            except WebDriverException as fault:
                # What was looked at went away with the page that it was on.
                if isinstance(fault, StaleElementReferenceException) or GONE in str(fault.msg):
                    return False
                raise

        return WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: holds())

    def wait_for(self, text: str) -> None:
        """Look until the page says something."""
        try:
            self.wait(lambda: text in self.text)
        except Exception as missing:
            raise AssertionError(f"No {text!r} on {self.driver.current_url}: {self.text}") from missing

    @property
    def text(self) -> str:
        """Return what the page says."""
        return str(self.driver.find_element("tag name", "body").text)

    @property
    def path(self) -> str:
        """Return where the browser is, without the host."""
        return "/" + self.driver.current_url.split("/", 3)[3]

    def faults(self) -> list[str]:
        """Return what broke on the way: scripts, missing files, the page's own policy."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def add_authenticator(self) -> None:
        """Plug a device in that keeps passkeys and always recognises its owner."""
        from selenium.webdriver.common.virtual_authenticator import Protocol, Transport, VirtualAuthenticatorOptions

        options = VirtualAuthenticatorOptions(
            protocol=Protocol.CTAP2,
            transport=Transport.INTERNAL,
            has_resident_key=True,
            has_user_verification=True,
            is_user_verified=True,
        )
        self.driver.add_virtual_authenticator(options)
