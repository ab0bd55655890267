"""A certified OpenID Connect server of somebody else's (oidc-provider), unmodified, and a person's browser at it.

`make test` needs Python only: without `PROXX_TEST_NODE` (which `.ci/run` sets where node and npm are) it is skipped.
"""

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests import npm
from tests.ports import free_port

HERE = Path(__file__).resolve().parent / "oidc_server"
SECRET = "only-for-tests-0123456789-0123456789"
READY_WITHIN = 30.0


class Certified:
    """The running server."""

    def __init__(self, log: Path, port: int) -> None:
        self.log, self.address = log, f"http://localhost:{port}"

    def said(self) -> list[dict[str, Any]]:
        """Return what it said so far: what it granted and what it refused, and why."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextlib.contextmanager
def certified(folder: Path, *redirects: str, port: int = 0) -> Iterator[Certified]:
    """Run the server for a `with` block; it sends browsers back to these addresses only."""
    if not os.environ.get("PROXX_TEST_NODE"):
        pytest.skip("PROXX_TEST_NODE is not set: no Node.js for a certified OpenID Connect server")
    assert not npm.what_is_missing(), npm.what_is_missing()
    npm.install(HERE)
    running = Certified(folder / "oidc-server.log", port or free_port())
    command = ["node", "server.js", str(urlsplit(running.address).port), *redirects]
    with running.log.open("w") as log:
        process = subprocess.Popen(command, cwd=HERE, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while {"ready": True} not in running.said():
            assert process.poll() is None, running.log.read_text()
            assert time.monotonic() < deadline, "The server does not answer."
            time.sleep(0.05)
        yield running
    finally:
        process.kill()
        process.wait()


class Person:
    """Somebody with a browser: it keeps cookies, follows where it is sent, and sends the forms it is shown.

    It goes no further than to `until`; `sent_to` then says where it would have gone.
    """

    def __init__(self, until: str = "") -> None:
        self.until, self.sent_to = until, ""
        self.browser = httpx.Client(timeout=30)
        self.page: httpx.Response

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()

    @property
    def address(self) -> str:
        """Return where the browser is."""
        return str(self.page.url)

    def go(self, address: str) -> None:
        """Open a page, and go on to wherever it sends the browser."""
        self._shown(self.browser.get(address))

    def send(self, action: str, **fields: str) -> None:
        """Fill the form that leads to an address ending so, and send it."""
        form = next(form for form in _forms(self.page.text) if form.action.endswith(action))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.address))
        where = urljoin(self.address, form.action)
        self._shown(self.browser.post(where, data={**form.fields, **fields}, headers={"origin": origin}))

    def sign_in_there(self, name: str) -> None:
        """Fill the server's own sign-in page, and agree on the one that follows."""
        asked = urlsplit(self.address).path
        self.send(asked, login=name, password="any")
        self.send(urlsplit(self.address).path)

    def _shown(self, page: httpx.Response) -> None:
        while page.next_request is not None:
            if self.until and str(page.next_request.url).startswith(self.until):
                self.sent_to = str(page.next_request.url)
                break
            page = self.browser.send(page.next_request)
        self.page = page
        if onward := re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text):
            self.go(unescape(onward[1]))


class _Form(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found.get("action", "")
        elif tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value", "")


def _forms(page: str) -> list[_Form]:
    return [_Form(text) for text in re.findall(r"<form.*?</form>", page, re.DOTALL)]
