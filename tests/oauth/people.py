"""Somebody at the console's pages and at those of the simulated issuer, without a browser."""

import re
from html import unescape
from urllib.parse import urlsplit

import httpx

from accounts.models import Credential
from oauth.models import OAuthAccount

PAGE, FACTORY = "/console/connect/at/openai/", "/console/connect/at/factory/"


def agree(address: str, email: str = "kim@example.com", *, answer: str = "agree") -> str:
    """Follow an authorize address, agree or deny there, and return where the issuer sends the browser."""
    page = httpx.get(address)
    assert page.status_code == 200, page.text
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)">', page.text)}
    consent = httpx.URL(address).copy_with(path="/consent", query=None)
    sent = httpx.post(consent, data={**fields, "email": email, "answer": answer})
    assert sent.status_code == 302, sent.text
    return sent.headers["location"]


def begun(browser, page=PAGE, method="browser", **more):
    """Begin to sign in; return the row's page."""
    answer = browser.post(f"{page}begin/", {"method": method, **more})
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def away(browser, flow):
    """Return where the page sends somebody."""
    said = browser.get(flow).content.decode()
    found = re.search(r'href="([^"]+)" target="_blank" data-popup', said)
    return found[1].replace("&amp;", "&")


def come_back(browser, address):
    """Follow the provider's redirect as a browser does whose loopback port leads to proxx."""
    parts = urlsplit(address)
    answer = browser.get(f"{parts.path}?{parts.query}")
    assert answer["Location"].startswith("http://testserver/console/connect/back/?")
    return browser.get(answer["Location"].removeprefix("http://testserver"))


def text(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def nothing_stored():
    return not Credential.objects.exists() and not OAuthAccount.objects.exists()
