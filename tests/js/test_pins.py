"""What libraries and agents are installed: pinned, without a registry's name, and what the page says was tried."""

import json
import re

import pytest

from tests.house import files

PAGE = "docs/clients.md"


@pytest.mark.parametrize("folder", ["tests/js", "tests/agents", "tests/signin/oidc_server"])
def test_every_package_is_pinned_to_one_version(folder: str) -> None:
    wanted = json.loads(files.text(f"{folder}/package.json"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


@pytest.mark.parametrize("folder", ["tests/js", "tests/signin/oidc_server"])
def test_the_libraries_are_locked_by_hash_without_a_registrys_name(folder: str) -> None:
    wanted = json.loads(files.text(f"{folder}/package.json"))["dependencies"]
    packages = json.loads(files.text(f"{folder}/package-lock.json"))["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    installed = {name: one for name, one in packages.items() if name and not one.get("inBundle")}
    assert [name for name, one in installed.items() if "resolved" in one or not one.get("integrity")] == []


@pytest.mark.parametrize("package", json.loads(files.text("tests/js/package.json"))["dependencies"].items())
def test_the_page_names_the_version_of_each_library(package: tuple[str, str]) -> None:
    name, version = package
    assert name == "zod" or f"`{name}` {version}" in files.text(PAGE)


def test_the_page_names_the_version_of_each_agent() -> None:
    versions = json.loads(files.text("tests/agents/package.json"))["dependencies"]
    names = {
        "@openai/codex": "Codex CLI",
        "@anthropic-ai/claude-code": "Claude Code",
        "@google/gemini-cli": "Gemini CLI",
        "opencode-ai": "opencode",
    }
    page = files.text(PAGE)
    assert [name for name, version in versions.items() if f"{names[name]} {version}" not in page] == []


@pytest.mark.parametrize("name", ["openai", "anthropic", "google-genai", "ollama"])
def test_the_page_names_the_version_of_each_python_library(name: str) -> None:
    pinned = re.search(rf"^{name}==(\S+)", files.text("requirements/dev.txt"), re.MULTILINE)
    assert pinned
    assert f"`{name}` {pinned[1]}" in files.text(PAGE)
