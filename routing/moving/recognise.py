"""Which file is this? A text and its name -> what it says. The table at the foot knows the shapes."""

from collections.abc import Callable
from typing import Any

import yaml

from proxx.kit import fastjson
from routing import provider_env
from routing.keys_file import FileFault, refuse_nul
from routing.moving import cli_proxy, go_proxx, multicodex, seed_files
from routing.moving.found import Found
from routing.moving.known import Known

Reader = Callable[[Any, str, str, Known], Found]


def read(text: str, name: str, known: Known | None = None) -> Found:
    """Return what a file says; raise `FileFault`, one sentence without any of its content, if it is no known one.

    `known` goes from file to file, so that all mean the same by an id.
    """
    data = _loaded(text, name)
    refuse_nul(data, name)
    known = known or Known(provider_env.configured()[0])
    for fits, reader in SHAPES:
        if fits(data, name):
            return reader(data, text, name, known)
    raise FileFault(
        f"{name} is none of the files that can be taken over: keys.json, models.json, a policy file, "
        "accounts.json of MultiCodex, config.yaml of the Go proxx or of CLIProxyAPI."
    )


def _loaded(text: str, name: str) -> Any:
    try:
        return fastjson.loads(text)
    except ValueError:
        if name.endswith(".json"):
            raise FileFault(f"{name} is not valid JSON.") from None
    try:
        # Aliases of YAML can make a small text huge; no file of these gateways uses them.
        repeats = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader))
        data = None if repeats else yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise FileFault(f"{name} is neither valid JSON nor valid YAML.") from None
    if repeats:
        raise FileFault(f"{name} holds YAML aliases (*name), which are not read.")
    return data


def _has(*names: str) -> Callable[[Any, str], bool]:
    return lambda data, _: isinstance(data, dict) and any(name in data for name in names)


def _is_multicodex(data: Any, name: str) -> bool:
    if not isinstance(data, dict) or not isinstance(data.get("accounts"), list):
        return False
    return "modelAliases" in data or any(isinstance(one, dict) and "accessToken" in one for one in data["accounts"])


def _is_list_of_models(data: Any, name: str) -> bool:
    """A bare list may be of keys or of models: objects with only an id are models, else the file's name tells."""
    if not isinstance(data, list):
        return False
    bare = all(isinstance(one, dict) and "id" in one and not {"key", "token", "api_key"} & set(one) for one in data)
    return "model" in name.lower() or (bool(data) and bare)


SHAPES: tuple[tuple[Callable[[Any, str], bool], Reader], ...] = (
    (_is_multicodex, multicodex.read),
    (_has("upstream_url"), go_proxx.read),
    (_has("api-keys", "auth-dir", "openai-compatibility", *cli_proxy.KINDS), cli_proxy.read),
    (_has("modelRouting", "strategySelection", "accountPreferences"), seed_files.policy),
    (_has("preferred", "disabled", "aliases", "models", "data"), seed_files.models),
    (_is_list_of_models, seed_files.models),
    (_has("providers", "keys"), seed_files.keys),
    (lambda data, name: isinstance(data, list) and "key" in name.lower(), seed_files.keys),
)
