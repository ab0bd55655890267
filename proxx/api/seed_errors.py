"""Errors below /openai/ and /anthropic/: the codes that callers of an older gateway know, beside ours.

Its names were in capitals and stood where our envelope's object stands; here they are members of that object, so that
both kinds of caller find what they look for.
"""

from dataclasses import replace

from proxx.kit import fastjson
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.spec import Protocol

PREFIXES = ("/openai", "/anthropic")

# Our code, or the error's class where there is none, and the older one.
CODES = {
    "invalid_api_key": "missing_or_invalid_authorization_header",
    "unsupported_endpoint": "invalid_provider_prefix",
    "upstream_unavailable": "upstream_connection_failed",
    "timeout": "upstream_connection_failed",
    "internal": "internal_server_error",
}
OLDER = frozenset({*CODES.values(), "upstream_url_not_configured"})


def speaks(path: str) -> bool:
    """Tell whether a path is answered with these codes."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PREFIXES)


def coded(facts: ErrorFacts) -> ErrorFacts:
    """Return an error under its older code, if it has one."""
    code = CODES.get(facts.code or facts.kind)
    return replace(facts, code=code) if code else facts


def written(dialect: Protocol, facts: ErrorFacts) -> bytes:
    """Return the body of an error with its code, and with the older name of it where there is one."""
    body = fastjson.loads(dialect.write_error(facts))
    error = body.get("error")
    if isinstance(error, dict) and facts.code in OLDER:
        error |= {"code": facts.code, "error": str(facts.code).upper()}
    return fastjson.dumps(body)
