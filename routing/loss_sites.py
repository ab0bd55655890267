"""Where readers and writers say that something is lost: every `losses.drop` and `losses.refuse` of the protocols.

Read from the source, so that docs/protocols-losses.md misses none. A name that is put together when a request comes has
`…` for the part that varies. Names that are variables cannot be read off the source; `_VARIABLE` has them, and a site
that is missing there is an error.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proxx import protocols

ROOT = Path(protocols.__path__[0])
MEMBER = "any other member"

_STATE = ("previous_response_id", "conversation", "prompt", "background")
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs")
_MEDIA = ("messages[].image", "messages[].file", "messages[].audio")
_EFFORTS = (
    "think", "reasoning.effort", "reasoning_effort", "output_config.effort",
    "generationConfig.thinkingConfig.thinkingLevel",
)  # fmt: skip

# (file, reason) -> the names that a variable may hold there.
_VARIABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("anthropic/read_request/request.py", "unknown to other dialects"): (MEMBER,),
    ("anthropic/write_request/settings.py", "only OpenAI keeps it"): _STATE,
    ("anthropic/write_request/settings.py", "this dialect has no such setting"): (
        "min_p", "frequency_penalty", "presence_penalty", "repeat_penalty", "seed", "logit_bias", "logprobs",
        "top_logprobs",
    ),
    ("anthropic/write_request/settings.py", "this model does not take it"): ("temperature", "top_p", "top_k"),
    ("embeddings/texts.py", "unknown to other dialects"): (MEMBER,),
    ("gemini/read_request/body.py", "unknown to other dialects"): (MEMBER,),
    ("gemini/read_request/body.py", "…"): ("cachedContent", "continuationToken"),
    ("gemini/write_request/media.py", "its address could not be fetched"): _MEDIA[:2],
    ("gemini/write_request/media.py", "its data are no base64"): _MEDIA,
    ("gemini/write_request/media.py", "pictures of type … are not taken"): _MEDIA[:1],
    ("gemini/write_request/media.py", "a file id is good only at the vendor that made it"): _MEDIA[:2],
    ("gemini/write_request/settings.py", "at most …"): ("temperature",),
    ("gemini/write_request/settings.py", "Gemini has no such setting"): ("min_p", "repeat_penalty", "logit_bias"),
    ("gemini/write_request/settings.py", "this model's provider keeps no such state"): _STATE,
    ("hub/reasoning.py", "an unknown effort counts as medium"): _EFFORTS,
    ("ollama/read_request/request.py", "unknown to other dialects"): (MEMBER,),
    ("ollama/write_request/body.py", "it keeps no state"): _STATE,
    ("ollama/write_request/tools.py", "it has no such tool of its own"): ("tools[…]",),
    ("openai_chat/read_request/body.py", "unknown to other dialects"): (MEMBER,),
    ("openai_chat/write_request/options.py", "it lives on another provider's server"): _STATE,
    ("openai_chat/write_request/options.py", "this model does not take it"): _SAMPLING,
    ("openai_chat/write_request/options.py", "it has no such setting"): (
        "logprobs", "logit_bias", "top_k", "min_p", "repeat_penalty", "typical_p",
    ),
    ("openai_media/picture_request.py", "the tool that draws has no such setting"): (MEMBER,),
    ("openai_responses/read_request/body.py", "unknown to other dialects"): (MEMBER,),
    ("openai_responses/write_request/body.py", "this model takes no sampling settings"): ("temperature", "top_p"),
    ("openai_responses/write_request/body.py", "unknown to this dialect"): (
        "top_k", "min_p", "frequency_penalty", "presence_penalty", "repeat_penalty", "seed", "logit_bias",
    ),
    ("openai_responses/write_request/codex.py", "the ChatGPT backend refuses it"): (
        "max_output_tokens", "max_tool_calls", "temperature", "top_p", "top_logprobs", MEMBER,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """One place that says a loss: in which file below `proxx/protocols`, of what, why, and whether it refuses."""

    file: str
    name: str
    reason: str
    refuses: bool


def sites() -> list[Site]:
    """Return every place that says a loss; raise KeyError for a name that can be told neither from source nor table."""
    return [site for path in sorted(ROOT.rglob("*.py")) for site in _sites_of(path)]


def _sites_of(path: Path) -> Iterator[Site]:
    file = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 2):
            continue
        if node.func.attr not in ("drop", "refuse") or not ast.unparse(node.func.value).endswith("losses"):
            continue
        for reason in _texts(node.args[1], file) or ["…"]:
            names = _texts(node.args[0], file) or _VARIABLE[file, reason]
            for name in names:
                yield Site(file, name, reason, node.func.attr == "refuse")


def _texts(node: ast.expr, file: str) -> list[str]:
    """Return what an expression may say, `…` for its variable parts; nothing if all of it varies."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp():
            return _texts(node.body, file) + _texts(node.orelse, file)
        case ast.JoinedStr():
            return ["".join((_texts(piece, file) or ["…"])[0] for piece in node.values)]
        case ast.FormattedValue():
            return _texts(node.value, file)
        case ast.Name():
            module = importlib.import_module("proxx.protocols." + file.removesuffix(".py").replace("/", "."))
            found = getattr(module, node.id, None)
            return [found] if isinstance(found, str) else []
    return []
