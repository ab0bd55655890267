"""Canaries planted wherever a secret goes in, and looked for wherever anything comes out (security C3, A1, G1)."""

import http.client
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import static_files
from tests.house import control_outputs, echo
from tests.live import LiveProxx, running

# None of them has the shape of a vendor's key: what hides them must know them, not guess.
PROVIDER_KEY = "canaryProviderKey7Q2w"
SECOND_KEY = "canarySecondKey9Zx4"
ADMIN_TOKEN = "canaryAdminToken-5Lm8-0123456789-0123456789-0123456789"
CONTROL_BODY = "canaryControlBody4Kd"
PASSWORD = "canary-Operator-Password-3Rt6"
PLANTED = {
    "the environment's provider key": PROVIDER_KEY,
    "the console's provider key": SECOND_KEY,
    "the admin token": ADMIN_TOKEN,
    "the operator's password": PASSWORD,
    "a wrong key": "pxx_canaryWrongKeyWrongKeyWrongKeyWrongKeyWro4",
    "a key in the query": "canaryQueryKey1Pq",
    "a cookie": "canaryCookie2Ws",
    "a header of the client's": "canaryHeader8Hj",
    "a prompt": "canaryPrompt6Vb",
    "a body of the control API": CONTROL_BODY,
    "SECRET_KEY": "canarySecretKey-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PROXY_TOKEN_PEPPER": "canaryPepper-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PROXY_TOKEN_PEPPER_FORMER": "canaryFormer-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PROXY_ENCRYPTION_KEYS": "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E=",
}
COMMANDS = (
    "export_config",
    "export_config --sealed",
    "export_audit",
    "export_audit --csv",
    "verify_audit",
    "rotate_secrets --dry-run",
    "explain_route gpt-5",
    "export_legacy keys",
)
ISSUE = """
from accounts import keys
from accounts.models import Credential, Operator, Tenant
Operator.objects.create_superuser("warden", password={password!r})
Credential.objects.create(provider_id="openai", label="by hand", secret={second!r})
row, token = keys.issue(Tenant.objects.get(slug="default"), label="canary")
keys.issue(Tenant.objects.get(slug="default"), label="revoked")
result = token
"""


class Heard:
    """Everything that came out, by where it came out."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.planted = dict(PLANTED)

    def add(self, place: str, text: str | bytes) -> None:
        """Remember an output."""
        self.texts[place] = text.decode("latin-1") if isinstance(text, bytes) else text

    def leaks(self) -> list[str]:
        """Return what was found where, without repeating it."""
        return [
            f"{what} in {place}"
            for place, text in self.texts.items()
            for what, word in self.planted.items()
            if word in text
        ]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, templates: Any, module_provider: Any) -> Any:
    """Run a server through good and bad calls, and gather all it says and keeps."""
    folder = tmp_path_factory.mktemp("canaries")
    found = Heard()
    static_files.collect()
    with echo.gossip() as base_url:
        environment = {
            "OPENAI_API_KEY": PROVIDER_KEY,
            "OPENAI_BASE_URL": base_url,
            "PROXY_AUTH_TOKEN": ADMIN_TOKEN,
            "SECRET_KEY": PLANTED["SECRET_KEY"],
            "PROXY_TOKEN_PEPPER": PLANTED["PROXY_TOKEN_PEPPER"],
            "PROXY_TOKEN_PEPPER_FORMER": PLANTED["PROXY_TOKEN_PEPPER_FORMER"],
            "PROXY_ENCRYPTION_KEYS": PLANTED["PROXY_ENCRYPTION_KEYS"],
            "PROXY_LOG_LEVEL": "debug",
        }
        with running(folder, templates, module_provider, env=environment, real=False, by_command=True) as proxx:
            token = proxx.run(ISSUE.format(password=PASSWORD, second=SECOND_KEY))
            found.planted["a client key"] = token
            calls = ask_everything(proxx, token, found)
            proxx.wait_for_rows("SELECT 1 FROM analytics_requestlog", calls)
            found.add("the process's arguments", Path(f"/proc/{proxx.pid}/cmdline").read_bytes())
            walk_console(proxx, found)
            control_outputs.walk(proxx.origin, ADMIN_TOKEN, CONTROL_BODY, found)
            for command in COMMANDS:
                found.add(f"what {command} prints", proxx.manage(*command.split()))
            status, answered, said = proxx.request("GET", "/metrics")
            found.add("the metrics", f"{status} {answered} ".encode() + said)
            proxx.stop()
        found.add("the log", proxx.log)
    keep_files(folder, found)
    return found


def ask_everything(proxx: LiveProxx, token: str, found: Heard) -> int:
    """Ask well and badly, with canaries in every carrier; return how many calls were let in."""
    extra = {"x-canary": PLANTED["a header of the client's"], "cookie": f"session={PLANTED['a cookie']}"}
    headers = {"authorization": f"Bearer {token}", **extra}
    messages = [{"role": "user", "content": PLANTED["a prompt"]}]
    let_in = 0
    for model in echo.MODELS:
        for stream in (False, True):
            body = {"model": f"openai/{model}", "messages": messages, "stream": stream}
            status, answered, said = proxx.request("POST", "/v1/chat/completions", body, headers)
            found.add(f"the answer to {model}, stream {stream}", f"{status} {answered} ".encode() + said)
            let_in += 1
    wrong = PLANTED["a wrong key"]
    carriers = [
        {"authorization": f"Bearer {wrong}"},
        {"x-api-key": wrong},
        {"api-key": wrong},
        {"x-goog-api-key": wrong},
    ]
    for carrier in carriers:
        status, answered, said = bare(proxx, "POST", "/v1/chat/completions", {**carrier, **extra}, {"model": "x"})
        assert status == 401
        found.add(f"the answer to a wrong {next(iter(carrier))}", f"{answered} ".encode() + said)
    for path in ("/v1/models", "/v1/nowhere", "/v1/chat/completions", "/nowhere", "/console/"):
        query = f"{path}?key={PLANTED['a key in the query']}"
        status, answered, said = bare(proxx, "GET", query, headers, None)
        if (
            "location" not in answered
        ):  # a redirect to the sign-in page repeats the path it came from, to the same browser
            found.add(f"the answer to {path} with a query", f"{answered} ".encode() + said)
    status, _, said = proxx.request("POST", "/v1/chat/completions", PLANTED["a prompt"].encode(), headers)
    assert status == 400
    found.add("the answer to a broken body", said)
    return let_in


def bare(
    proxx: LiveProxx, method: str, path: str, headers: dict[str, str], body: Any
) -> tuple[int, dict[str, str], bytes]:
    """Ask with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", proxx.port, timeout=30)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def walk_console(proxx: LiveProxx, found: Heard) -> None:
    """Sign in and look at every page that a link leads to."""
    with httpx.Client(base_url=proxx.origin, timeout=30) as browser:
        page = browser.get("/console/login/")
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert csrf
        form = {"login": "warden", "password": PASSWORD, "csrfmiddlewaretoken": csrf[1], "next": "/console/"}
        signed_in = browser.post("/console/login/", data=form, headers={"referer": f"{proxx.origin}/console/login/"})
        assert signed_in.status_code == 302, signed_in.text
        waiting, seen = ["/console/"], set()
        while waiting and len(seen) < 150:
            path = waiting.pop(0)
            if path in seen or "logout" in path:
                continue
            seen.add(path)
            page = browser.get(path)
            assert page.status_code < 500, path
            found.add(f"the page {path}", page.content)
            waiting += [link for link in re.findall(r'href="(/console/[^"#?]*)', page.text) if link not in seen]
        assert len(seen) > 10, seen


def keep_files(folder: Path, found: Heard) -> None:
    """Read the database as a dump, and every other file of the data folder as it is."""
    with sqlite3.connect(folder / "proxx.sqlite3") as connection:
        found.add("the database", "\n".join(connection.iterdump()))
    connection.close()
    for file in folder.rglob("*"):
        if file.is_file():
            found.add(f"the file {file.name}", file.read_bytes())


def test_no_secret_comes_out_anywhere(heard: Heard) -> None:
    leaks = heard.leaks()
    assert not leaks, "\n".join(leaks)


def test_the_canaries_were_really_out_there(heard: Heard) -> None:
    assert len([place for place in heard.texts if place.startswith("the page")]) > 10
    assert "canary" in heard.texts["the database"]  # the key's label
    assert "canary" in heard.texts["what export_audit prints"]
    assert "by hand" in heard.texts["what export_config prints"]
    assert any(place.startswith("the page /console/accounts/auditentry/") for place in heard.texts)
    assert heard.texts["the log"].strip()
    looks = [text for place, text in heard.texts.items() if place.startswith("GET /")]
    assert len([text for text in looks if text.startswith("200")]) > 30
    assert "by hand" in heard.texts["GET /api/v1/credentials"]
    assert "422" in heard.texts["POST /api/v1/credentials with a secret in its place"]
    assert "Your key" in heard.texts["the answer to say-400, stream False"]
