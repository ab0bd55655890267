"""docs/settings.md and the code say the same: every variable has its row, and what a row promises is read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from routing import keys_file, models_file
from routing.providers import Provider, load

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*) \|$")
STATE = re.compile(r"honoured|alias of `([A-Z0-9_]+)`|replaced by .+|not yet honoured: .+|dropped: .+")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
READERS = {"text", "flag", "number", "whole", "milliseconds", "words", "counts", "secret", "choice", "pattern"}
# Read by name before or beside the settings: where the file with the others is, and which settings to load.
BESIDE = {"PROXX_ENV_FILE", "DJANGO_SETTINGS_MODULE"}


def rows() -> dict[str, str]:
    """Return the state of every variable on the page."""
    found: dict[str, str] = {}
    for line in PAGE.read_text().splitlines():
        if row := ROW.match(line):
            assert row[1] not in found, f"{row[1]} has two rows"
            found[row[1]] = row[3]
    return found


def registry() -> set[str]:
    """Return the variables of the programs that proxx unites."""
    words = (Path(__file__).parent / "registry_variables.txt").read_text().split()
    return {word.replace("YAML:", "YAML ") for word in words}


def settings_names() -> set[str]:
    """Return every variable that a module of proxx/settings reads, aliases included."""
    return {name for path in (ROOT / "proxx" / "settings").glob("*.py") for name in _read_in(path)}


def provider_names() -> set[str]:
    """Return every variable that the provider registry names, and those that concern all providers."""
    named = {name for provider in load().values() for name in _named_by(provider)}
    tree = ast.parse((ROOT / "routing" / "provider_env.py").read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return named | {text for text in texts if text.startswith("UPSTREAM_") and NAME.fullmatch(text)}


def _read_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="env"), attr=reader)) if reader in READERS:
                yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def _named_by(provider: Provider) -> Iterator[str]:
    yield from provider.env_keys + provider.env_base_urls + provider.env_key_base_urls
    yield from provider.env_ids + provider.env_prefixes
    for names in provider.env_paths.values():
        yield from names


def test_every_variable_of_the_united_programs_has_a_row() -> None:
    assert registry() - set(rows()) == set()


def test_every_setting_that_is_read_has_a_row() -> None:
    assert (settings_names() | provider_names()) - set(rows()) == set()


def test_every_state_is_one_of_five() -> None:
    assert {name: state for name, state in rows().items() if not STATE.fullmatch(state)} == {}


def test_what_is_said_to_work_is_read() -> None:
    known = rows()
    read = settings_names() | provider_names() | BESIDE
    promised = {name for name, state in known.items() if state == "honoured" or state.startswith("alias of")}
    assert promised - read == set()
    assert read - promised == set(), "read, but not said to work"


def test_every_alias_leads_to_a_variable_that_works() -> None:
    known = rows()
    targets = {name: match[1] for name, state in known.items() if (match := STATE.fullmatch(state)) and match[1]}
    assert {name for name, target in targets.items() if known.get(target) != "honoured"} == set()


def test_the_sample_file_names_what_works_and_sets_nothing() -> None:
    lines = EXAMPLE.read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    named = {found[1] for line in lines if (found := re.match(r"#([A-Z][A-Z0-9_]*)=", line))}
    honoured = {name for name, state in rows().items() if state == "honoured"}
    assert (named - honoured, honoured - named - {"DEBUG", "PROXX_ENV_FILE"}) == (set(), set())


def test_the_sample_files_are_readable_as_they_stand() -> None:
    keys = keys_file.parse((ROOT / "keys.example.json").read_text(), default_provider="vivgrid", name="keys.json")
    assert {one.kind for one in keys} == {"api_key", "oauth_bearer"}
    assert {one.provider_id for one in keys if not one.base_url} <= set(load())
    wishes = models_file.parse((ROOT / "models.example.json").read_text(), name="models.json")
    assert {bool(one.alias_of) for one in wishes} == {True, False}
