"""The documents: links that lead somewhere, nothing of anybody's machine, samples that can be read."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.house import files

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Folders of somebody's machine, and options that name a package index.
PRIVATE = re.compile(
    r"(?<![\w.~$}])/(?:root|home|Users|work|workspace)/\w|--(?:extra-)?index-url|--find-links|file:///opt"
)
TEXTS = (".py", ".md", ".toml", ".txt", ".in", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".example")
TEXT_NAMES = {"Makefile", "Dockerfile", "Procfile", ".ci/run", ".gitignore", ".dockerignore", "LICENSE"}


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as the usual hosts make them."""
    headings = (re.sub(r"[`*_]|\[|\]\([^)]*\)", "", heading) for heading in HEADING.findall(FENCE.sub("", page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [name for name in files.tracked() if name.endswith(".md")])
def test_every_link_leads_somewhere(name):
    here = (files.ROOT / name).parent
    dead = []
    for target in LINK.findall(FENCE.sub("", files.text(name))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (here / path).resolve() if path else files.ROOT / name
        if not found.exists() or (anchor and anchor not in anchors(found.read_text())):
            dead.append(target)
    assert dead == []


def test_the_readme_leads_to_what_it_promises_and_calls_nothing_later_that_is_described():
    readme = files.text("README.md")
    linked = {Path(target).stem for target in LINK.findall(readme) if target.startswith("docs/")}
    assert {"routing", "models", "quota", "failures", "retries", "policies", "limits", "moving-in"} <= linked
    later = " ".join(line.lower() for line in readme.splitlines() if line.endswith("| later |"))
    described = {path.stem for path in (files.ROOT / "docs").glob("*.md")}
    assert [name for name in sorted(described) if name in later] == []
    assert not re.search("price|budget", later)


def test_nothing_of_anybodys_machine_is_in_the_files():
    found = [
        f"{name}:{number}"
        for name in files.tracked()
        if (name.endswith(TEXTS) or name in TEXT_NAMES) and name != "tests/house/test_documents.py"
        for number, line in enumerate(files.text(name).splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert found == []


def test_locks_are_hashed_and_name_no_index():
    for name in ("base", "dev", "uvicorn"):
        lock = files.text(f"requirements/{name}.txt")
        pins = re.findall(r"^[a-z0-9][\w.-]*==\S+", lock, re.MULTILINE)
        assert len(pins) > 30
        assert lock.count("--hash=sha256:") >= len(pins)
        assert "http" not in re.sub(r"(?m)^(#|    #).*$|^[\w.-]+==", "", lock)


def test_every_package_says_why_it_is_there():
    for name in ("base", "dev", "uvicorn"):
        lines = files.text(f"requirements/{name}.in").splitlines()
        assert lines[0].startswith("#")
        if name == "base":
            silent = [line for line in lines if line and not line.startswith(("#", "-")) and "#" not in line]
            assert silent == []


@pytest.mark.parametrize("name", ["compose.yaml", "render.yaml", ".pre-commit-config.yaml"])
def test_the_samples_are_yaml(name):
    assert yaml.safe_load(files.text(name))


def test_the_samples_hold_no_secret_and_start_what_exists():
    heroku = json.loads(files.text("app.json"))
    for name in ("SECRET_KEY", "PROXY_TOKEN_PEPPER", "PROXY_ENCRYPTION_KEYS"):
        assert heroku["env"][name]["generator"] == "secret"
    assert heroku["env"]["PROXY_COMMIT_AFTER"]["value"] == "25"
    render = yaml.safe_load(files.text("render.yaml"))
    assert all(variable["generateValue"] for variable in render["envVarGroups"][0]["envVars"])
    modules = set(re.findall(r"python -m (\S+)", files.text("Procfile") + files.text("render.yaml")))
    for module in modules:
        path = module.replace(".", "/")
        assert (files.ROOT / f"{path}.py").exists() or (files.ROOT / path / "__main__.py").exists(), module


def test_the_image_is_not_run_by_root():
    image = files.text("Dockerfile")
    assert re.search(r"^USER proxx$", image, re.MULTILINE)
    assert "--require-hashes" in image
    composed = yaml.safe_load(files.text("compose.yaml"))
    for name in ("setup", "server", "worker", "clock"):
        service = composed["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    ports = composed["services"]["server"]["ports"]
    assert all(port.startswith("127.0.0.1:") for port in ports)
