"""docs/control-api.md names every path, and its curl lines work against a running proxx."""

import os
import re
import subprocess

from proxx.api.control import app
from tests.house import files

PAGE = "docs/control-api.md"


def test_every_path_is_documented():
    text = files.text(PAGE)
    missing = [path for path in app.described()["paths"] if f"`{path}`" not in text]
    assert missing == []


def test_the_methods_of_every_path_are_those_it_has():
    has = {path: " ".join(one.upper() for one in found) for path, found in app.described()["paths"].items()}
    wrong = []
    for paths, methods in re.findall(r"^\| (`/[^|]+) \| ([A-Z; ]+) \|", files.text(PAGE), re.MULTILINE):
        named = re.findall(r"`([^`]+)`", paths)
        said = methods.split("; ") if ";" in methods else [methods] * len(named)
        wrong += [one for one, words in zip(named, said, strict=True) if set(words.split()) != set(has[one].split())]
    assert wrong == []


def test_the_lines_of_the_manual_work(live_proxx):
    script = "set -e\n" + "\n".join(re.findall(r"```sh\n(.*?)```", files.text(PAGE), re.DOTALL))
    environment = {**os.environ, "PROXX_URL": live_proxx.origin, "PROXY_AUTH_TOKEN": live_proxx.token}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr + live_proxx.log
    assert '"label": "build server"' in done.stdout
    assert '"kind": "money_month"' in done.stdout


def test_the_consoles_page_tells_every_operation_to_who_is_signed_in(as_operator, client):
    assert client.get("/console/api/").status_code == 302
    page = as_operator().get("/console/api/").content.decode()
    assert [path for path in app.described()["paths"] if path not in page] == []
    assert "tenants:write" in page
    assert "<script>" not in page
