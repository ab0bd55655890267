"""What proxx has in place of the fields of CLIProxyAPI that are not taken over: the end of a sentence for each."""

_OWN_MANNER = "proxx does this in a manner of its own"
_NOT_ITS_OWN = "proxx never plays another client's part"
_RETRIES = "see the settings of retries in docs/settings.md"

KEY_ANSWERS = {
    "prefix": "call provider-id/model to mean one provider",
    "headers": "give them in a profile, as extra headers",
    "proxy-url": "proxx goes through no proxy of a single key",
    "priority": "give accounts an order on their pages; lower numbers come first in proxx",
    "request-retry": _RETRIES,
    "disable-cooling": "who fails rests for a while",
    "request-scoped-errors": "what failures mean is docs/failures.md",
    "support-prompt-cache-key": "a conversation stays with its account by itself",
    "cloak": _NOT_ITS_OWN,
    "fingerprint-profile": _NOT_ITS_OWN,
    "rebuild-mid-system-message": _OWN_MANNER,
    "websockets": "providers are asked over HTTP",
    "alpha-search": "this path is not served",
}
MODEL_ANSWERS = {
    "display-name": "names come from the provider's list",
    "max-context-length": "limits come from the catalogue",
    "image": "what a model can do comes from the catalogue",
    "input-modalities": "what a model can do comes from the catalogue",
    "output-modalities": "what a model can do comes from the catalogue",
    "thinking": "what a model can do comes from the catalogue",
    "is-compat": _OWN_MANNER,
    "force-mapping": "see the tenant's option to answer with the requested model name",
    "fork": "the upstream name stays callable in proxx",
}
ANSWERS = {
    "host": "set PROXY_HOST",
    "port": "set PROXY_PORT",
    "tls": "put a reverse proxy in front",
    "remote-management": "operators sign in to the console",
    "auth-dir": "sign-ins lie there in files of their own; add those accounts in proxx",
    "debug": "set PROXY_LOG_LEVEL",
    "pprof": "there is no such server",
    "proxy-url": "proxx goes to providers directly",
    "request-retry": _RETRIES,
    "max-retry-credentials": "set PROXY_MAX_ATTEMPTS",
    "max-retry-interval": _RETRIES,
    "force-model-prefix": "call provider-id/model to mean one provider",
    "quota-exceeded": "the next account is always tried",
    "vertex-api-key": "proxx does not speak to Vertex",
    "interactions-api-key": "proxx does not speak the Interactions API",
    "oauth-excluded-models": "leave models out on the page of exclusions",
    "oauth-request-scoped-errors": KEY_ANSWERS["request-scoped-errors"],
    "payload": "request options are a profile's",
    "streaming": "see the settings of streams in docs/settings.md",
    "nonstream-keepalive-interval": "see the settings of streams in docs/settings.md",
    "claude-header-defaults": _NOT_ITS_OWN,
    "codex-header-defaults": _NOT_ITS_OWN,
    "claude-code": _NOT_ITS_OWN,
    "codex": _OWN_MANNER,
    "disable-claude-cloak-mode": _NOT_ITS_OWN,
    "xai": _OWN_MANNER,
    "antigravity": "proxx does not speak to it",
    "ws-auth": "a socket always needs a key",
    **dict.fromkeys(
        ("disable-cooling", "save-cooldown-status", "transient-error-cooldown-seconds"), "who fails rests for a while"
    ),
    **dict.fromkeys(
        ("logging-to-file", "logs-max-total-size-mb", "error-logs-max-files", "commercial-mode"),
        "proxx logs lines to its standard error",
    ),
    **dict.fromkeys(
        ("usage-statistics-enabled", "redis-usage-queue-retention-seconds"),
        "each call is recorded, see docs/analytics.md",
    ),
    **dict.fromkeys(
        ("plugins", "credential-concurrency", "credential-in-flight", "auth-auto-refresh-workers"),
        "there is no such thing",
    ),
    **dict.fromkeys(
        ("disable-image-generation", "gpt-image-2-base-model", "video-result-auth-cache-ttl", "passthrough-headers"),
        _OWN_MANNER,
    ),
    **dict.fromkeys(
        ("antigravity-signature-cache-enabled", "antigravity-signature-bypass-strict"), "proxx does not speak to it"
    ),
}
