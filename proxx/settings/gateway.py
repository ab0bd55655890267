"""The gateway's own settings: where it listens, how long it waits, how much it takes. Seconds and bytes."""

from proxx.settings import env

MIB = 1024 * 1024

# Where it listens.
PROXY_HOST = env.text("PROXY_HOST", "HOST", default="127.0.0.1")
PROXY_PORT = env.whole("PROXY_PORT", "PORT", default=8789, most=65535)
PROXX_SERVER = env.text("PROXX_SERVER", default="daphne")  # or uvicorn (requirements/uvicorn.txt)
PROXX_DATA_PLANE = env.text("PROXX_DATA_PLANE", default="fast")  # stock: the server's own HTTP code
PROXY_TRUSTED_PROXIES = env.words("PROXY_TRUSTED_PROXIES")  # addresses or networks whose X-Forwarded-* count

# Who may call.
PROXY_AUTH_TOKEN_IS_SET = "PROXY_AUTH_TOKEN" in env.everything()
PROXY_AUTH_TOKEN = env.secret("PROXY_AUTH_TOKEN")
PROXY_ALLOW_UNAUTHENTICATED = env.flag("PROXY_ALLOW_UNAUTHENTICATED", "VIVGRID_ALLOW_UNAUTHENTICATED", default=False)
PROXY_KEY_GRACE = env.number("PROXY_KEY_GRACE", default=120)  # security A11
PROXY_QUERY_KEYS = env.flag("PROXY_QUERY_KEYS", default=False)  # ?key= on Gemini paths

# Which provider first, when several serve a model.
UPSTREAM_PROVIDER_ID = env.text("UPSTREAM_PROVIDER_ID", default="vivgrid")
UPSTREAM_FALLBACK_PROVIDER_IDS = env.words(
    "UPSTREAM_FALLBACK_PROVIDER_IDS",
    # These two share their models (F-148); set to the empty text, there is no fallback.
    default={"vivgrid": "ollama-cloud", "ollama-cloud": "vivgrid"}.get(UPSTREAM_PROVIDER_ID, ""),
)
EXCLUDED_PROVIDER_MODELS = env.words("EXCLUDED_PROVIDER_MODELS")  # provider:model, the model may hold *
UPSTREAM_MESSAGES_MODEL_PREFIXES = env.words("UPSTREAM_MESSAGES_MODEL_PREFIXES")  # asked in Anthropic Messages first
UPSTREAM_RESPONSES_MODEL_PREFIXES = env.words("UPSTREAM_RESPONSES_MODEL_PREFIXES")  # asked in OpenAI Responses first
PROXY_IMAGE_REQUEST_MODEL = env.text("PROXY_IMAGE_REQUEST_MODEL")  # where requests with pictures go
PROXY_AUTO_MODEL_MAX_CANDIDATES = env.whole("PROXY_AUTO_MODEL_MAX_CANDIDATES", default=12, least=1, most=24)
PROXY_POLICY_CONFIG_FILE = env.text("PROXY_POLICY_CONFIG_FILE")  # rules by model family, JSON
DISABLED_PROVIDER_IDS = env.words("DISABLED_PROVIDER_IDS")
LOCAL_OLLAMA_ENABLED = env.flag("LOCAL_OLLAMA_ENABLED", default=True)
LOCAL_OLLAMA_MODEL_PATTERNS = env.words("LOCAL_OLLAMA_MODEL_PATTERNS", default=":2b,:3b,:4b,:7b,:8b")

# How long it waits (registry 4 of the feature table).
UPSTREAM_CONNECT_TIMEOUT = env.milliseconds("UPSTREAM_CONNECT_TIMEOUT_MS", default=10, least=1)
UPSTREAM_REQUEST_TIMEOUT = env.milliseconds("UPSTREAM_REQUEST_TIMEOUT_MS", default=180, least=1)
UPSTREAM_FIRST_EVENT_TIMEOUT = env.milliseconds(
    "UPSTREAM_STREAM_BOOTSTRAP_TIMEOUT_MS", default=UPSTREAM_REQUEST_TIMEOUT, least=1
)
UPSTREAM_IDLE_TIMEOUT = env.milliseconds("UPSTREAM_IDLE_TIMEOUT_MS", default=300, least=1)
PROXY_TOTAL_TIMEOUT = env.milliseconds("PROXY_TOTAL_TIMEOUT_MS", default=0)  # 0: no limit on a flowing stream
PROXY_MAX_ATTEMPTS = env.whole("PROXY_MAX_ATTEMPTS", "MAX_ACCOUNT_RETRY_ATTEMPTS", default=10, least=1, most=1000)
UPSTREAM_TRANSIENT_RETRY_COUNT = env.whole("UPSTREAM_TRANSIENT_RETRY_COUNT", default=2, most=1000)
UPSTREAM_TRANSIENT_RETRY_BACKOFF = env.milliseconds("UPSTREAM_TRANSIENT_RETRY_BACKOFF_MS", default=0.35)
PROXY_PROVIDER_RETRIES = env.counts("PROXY_PROVIDER_RETRIES")  # of tries in place, by provider
PROXY_RETRY_COST_LIMIT = env.number("PROXY_RETRY_COST_LIMIT", default=0)  # dollars; 0: none
# Where there is only one candidate, and it is busy: doubling pauses (F-154).
PROXY_SINGLE_RETRY_COUNT = env.whole("PROXY_SINGLE_RETRY_COUNT", default=3, most=1000)
PROXY_SINGLE_RETRY_BASE = env.milliseconds("PROXY_SINGLE_RETRY_BASE_MS", default=1)
PROXY_REASONING_FAILOVER = env.flag("PROXY_REASONING_FAILOVER", default=False)  # F-107
PROXY_HOLD_SECONDS = env.number("PROXY_HOLD_SECONDS", default=0)  # 0: who finds nobody free is told so at once
PROXY_STREAM_HEARTBEAT = env.number("PROXY_STREAM_HEARTBEAT", default=15)  # 0: never
# 0: never before the first event. A stream that is held must not look dead.
PROXY_COMMIT_AFTER = env.number("PROXY_COMMIT_AFTER", default=5 if PROXY_HOLD_SECONDS else 0)

# How it reaches the providers: more trusted authorities, a proxy on the way, origins that are spoken to in HTTP/2.
UPSTREAM_CA_FILE = env.text("UPSTREAM_CA_FILE")
UPSTREAM_PROXY_URL = env.secret("UPSTREAM_PROXY_URL")
UPSTREAM_HTTP2 = env.words("UPSTREAM_HTTP2")

# Limits of tenants and keys: where budgets are counted, and what a call is taken to need at most.
PROXY_LIMITS = env.text("PROXY_LIMITS", default="auto")  # local: this one process; database: any number of them
PROXY_LIMIT_LEASE = env.number("PROXY_LIMIT_LEASE", default=900, least=10)  # of a reservation in the database
PROXY_LIMIT_OUTPUT = env.whole("PROXY_LIMIT_OUTPUT", default=4096, least=1, most=10_000_000)  # where nobody says more

# How long a credential rests when the upstream names no time.
PROXY_KEY_COOLDOWN = env.milliseconds("PROXY_KEY_COOLDOWN_MS", "VIVGRID_KEY_COOLDOWN_MS", default=30)
PROXY_KEY_COOLDOWN_JITTER_FACTOR = env.number("PROXY_KEY_COOLDOWN_JITTER_FACTOR", default=0.4, most=1000)  # upward only
OLLAMA_WEEKLY_COOLDOWN_MULTIPLIER = env.number("OLLAMA_WEEKLY_COOLDOWN_MULTIPLIER", default=24, least=1, most=1000)

# When a circuit opens, and for how long: the first time, and at most.
PROXY_BREAKER_FAILURES = env.whole("PROXY_BREAKER_FAILURES", default=5, most=1_000_000)  # in a row; 0: never
PROXY_BREAKER_SECONDS = env.number("PROXY_BREAKER_SECONDS", default=5, least=0.1)
PROXY_BREAKER_SECONDS_MAX = env.number("PROXY_BREAKER_SECONDS_MAX", default=300, least=1)

# How long a call waits for an account that takes only so many calls at once.
PROXY_BUSY_WAIT = env.number("PROXY_BUSY_WAIT", default=2)

# What its accounts have left.
PROXY_QUOTA_TIMEOUT = env.milliseconds("USAGE_TIMEOUT_MS", default=10, least=1)
PROXY_QUOTA_CACHE = env.milliseconds("USAGE_CACHE_TTL_MS", default=300)
PROXY_QUOTA_WARN_PERCENT = env.number("PROXY_QUOTA_WARN_PERCENT", default=90, most=100)
PROXY_QUOTA_SPENT_PERCENT = env.number("PROXY_QUOTA_SPENT_PERCENT", default=98, least=1, most=100)

# How much it takes.
PROXY_BODY_LIMIT = env.whole("PROXY_BODY_LIMIT", "REQUEST_BODY_LIMIT", default=32 * MIB, least=1024)
PROXY_BODY_LIMIT_WITHOUT_KEY = env.whole("PROXY_BODY_LIMIT_WITHOUT_KEY", default=64 * 1024, least=1024)
PROXY_BODIES_IN_FLIGHT_LIMIT = env.whole("PROXY_BODIES_IN_FLIGHT_LIMIT", default=256 * MIB, least=1024)
PROXY_DEFAULT_MAX_TOKENS = env.whole("PROXY_DEFAULT_MAX_TOKENS", default=0)  # 0: by the model (Messages needs one)
PROXY_RESPONSES_KEPT_SECONDS = env.whole("PROXY_RESPONSES_KEPT_SECONDS", default=86_400)  # 0: none are kept
PROXY_RESPONSES_KEPT_BYTES = env.whole("PROXY_RESPONSES_KEPT_BYTES", default=64 * MIB, least=MIB)
PROXY_FETCH_MEDIA = env.flag("PROXY_FETCH_MEDIA", default=False)  # security E5
PROXY_FETCH_ORIGINS = env.words("PROXY_FETCH_ORIGINS")  # exempt from the rules of upstream/fetch.py
PROXY_FETCH_LIMIT = env.whole("PROXY_FETCH_LIMIT", default=20 * MIB, least=1024)
PROXY_HEADER_LIMIT = env.whole("PROXY_HEADER_LIMIT", default=64 * 1024, least=1024)
PROXY_HEADER_COUNT_LIMIT = env.whole("PROXY_HEADER_COUNT_LIMIT", default=200, least=10)
PROXY_HEADER_TIMEOUT = env.number("PROXY_HEADER_TIMEOUT", default=15)
PROXY_BODY_TIMEOUT = env.number("PROXY_BODY_TIMEOUT", default=60)
PROXY_WRITE_BUFFER_LIMIT = env.whole("PROXY_WRITE_BUFFER_LIMIT", default=MIB, least=1024)
PROXY_READER_TIMEOUT = env.number("PROXY_READER_TIMEOUT", default=60)
PROXY_REPLY_LIMIT = env.whole("PROXY_REPLY_LIMIT", default=64 * MIB, least=1024)  # a whole upstream answer
PROXY_KEEP_ALIVE = env.number("PROXY_KEEP_ALIVE", default=75)  # an idle client connection; 0: close at once
PROXY_CONNECTION_LIMIT = env.whole("PROXY_CONNECTION_LIMIT", default=10_000, least=1)
PROXY_CONNECTIONS_PER_ADDRESS = env.whole("PROXY_CONNECTIONS_PER_ADDRESS", default=0)  # 0: no limit
PROXY_DRAIN_TIMEOUT = env.number("PROXY_DRAIN_TIMEOUT", default=25)

# Files it reads and writes.
PROXY_DATA_DIR = env.text("PROXY_DATA_DIR", default=str(env.ROOT / "data"))
PROXY_KEYS_FILE = env.text("PROXY_KEYS_FILE", "VIVGRID_KEYS_FILE", default=str(env.ROOT / "keys.json"))
PROXY_KEYS_JSON = env.secret("PROXY_KEYS_JSON", "UPSTREAM_KEYS_JSON", "VIVGRID_KEYS_JSON")
PROXY_MODELS_FILE = env.text("PROXY_MODELS_FILE", "VIVGRID_MODELS_FILE", default=str(env.ROOT / "models.json"))
PROXY_KEY_RELOAD = env.milliseconds("PROXY_KEY_RELOAD_MS", "VIVGRID_KEY_RELOAD_MS", default=5, least=100)
PROXY_MODELS = env.words("PROXY_MODELS")
PROXY_LIST_WATCH = env.flag("PROXY_LIST_WATCH", default=True)
CATALOG_ROUTE_TIMEOUT = env.milliseconds("PROXY_PROVIDER_CATALOG_ROUTE_TIMEOUT_MS", default=15, least=1)
PROXY_PRICE_LISTS = env.words("PROXY_PRICE_LISTS")  # addresses of public lists, asked once a day; empty: never
WATER_ML_PER_KWH = env.number("DC_WATER_USE_EFFICIENCY_ML_PER_KWH", default=1800, most=1_000_000)  # for estimates
MODELS_CLIENT_VERSION = env.text("MODELS_CLIENT_VERSION", default="0.144.1")  # older ones see fewer models
# As whom the ChatGPT backend is asked; {version} is the one above.
CODEX_ORIGINATOR = env.text("CODEX_ORIGINATOR", default="codex_cli_rs")
CODEX_USER_AGENT = env.text("CODEX_USER_AGENT", default="codex_cli_rs/{version}")
CODEX_OPENAI_BETA = env.text("CODEX_OPENAI_BETA", default="responses=experimental")

# Records: the queue in memory, the journal on disk, the batch in the database.
PROXY_JOURNAL_LIMIT = env.whole("PROXY_JOURNAL_LIMIT", default=512 * MIB, least=MIB)
PROXY_RECORD_BATCH = env.whole("PROXY_RECORD_BATCH", default=500, least=1)
PROXY_RECORD_FLUSH = env.milliseconds("PROXY_RECORD_FLUSH_MS", "PROXY_REQUEST_LOGS_FLUSH_MS", default=0.25, least=10)
PROXY_LEDGER_RETENTION_DAYS = env.whole("PROXY_LEDGER_RETENTION_DAYS", default=400, least=32, most=36_500)
# Bodies of calls, where tenants or keys ask to keep them (accounts/keeping.py).
PROXY_BODIES_MOST = env.choice("PROXY_BODIES_MOST", known=("off", "errors", "sampled", "full"), default="full")
PROXY_BODIES_PART_LIMIT = env.whole("PROXY_BODIES_PART_LIMIT", default=256 * 1024, least=1024, most=16 * MIB)
PROXY_BODIES_MEMORY = env.whole("PROXY_BODIES_MEMORY", default=64 * MIB, least=MIB)
PROXY_BODIES_LIMIT = env.whole("PROXY_BODIES_LIMIT", default=1024 * MIB, least=MIB)
PROXY_BODIES_RETENTION_DAYS = env.whole("PROXY_BODIES_RETENTION_DAYS", default=7, least=1, most=36_500)
PROXY_BODIES_REDACT = env.words("PROXY_BODIES_REDACT", default="email,card,phone")  # besides secrets
PROXY_BODIES_PATTERN = env.pattern("PROXY_BODIES_PATTERN")  # a regular expression of the operator's
PROXY_RECORD_RETENTION_DAYS = env.whole("PROXY_RECORD_RETENTION_DAYS", default=90, least=1, most=36_500)
