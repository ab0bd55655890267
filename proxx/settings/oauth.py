"""Signing in to providers: whom proxx says it is, where it asks, when it renews.

Client ids, addresses and names belong to the providers; each is a default that the operator may change. An empty
address follows from the issuer (oauth/providers.py).
"""

from proxx.settings import env

# OpenAI (ChatGPT accounts).
OPENAI_OAUTH_CLIENT_ID = env.text("OPENAI_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID", default="app_EMoamEEZ73f0CkXaXp7hrann")
OPENAI_OAUTH_CLIENT_SECRET = env.secret("OPENAI_OAUTH_CLIENT_SECRET")
OPENAI_OAUTH_ISSUER = env.text("OPENAI_OAUTH_ISSUER", default="https://auth.openai.com").rstrip("/")
OPENAI_OAUTH_SCOPES = env.text("OPENAI_OAUTH_SCOPES", "OAUTH_SCOPE", default="openid profile email offline_access")
OPENAI_OAUTH_CALLBACK_PORT = env.whole("OPENAI_OAUTH_CALLBACK_PORT", default=1455, least=1, most=65535)
# Whether the server listens on that port of this machine, too, for browsers that come back.
PROXY_OAUTH_CALLBACK_LISTENER = env.flag("PROXY_OAUTH_CALLBACK_LISTENER", default=False)
OPENAI_OAUTH_ALLOW_HOST_ROUTED_CALLBACKS = env.flag("OPENAI_OAUTH_ALLOW_HOST_ROUTED_CALLBACKS", default=False)
OPENAI_OAUTH_ORIGINATOR = env.text("OPENAI_OAUTH_ORIGINATOR", default="codex_cli_rs")
OAUTH_AUTHORIZATION_URL = env.text("OAUTH_AUTHORIZATION_URL")
OAUTH_TOKEN_URL = env.text("OAUTH_TOKEN_URL")
OAUTH_REDIRECT_URI = env.text("OAUTH_REDIRECT_URI")
OAUTH_AUDIENCE = env.text("OAUTH_AUDIENCE")
OAUTH_DEVICE_AUTHORIZATION_URL = env.text("OAUTH_DEVICE_AUTHORIZATION_URL")
OAUTH_DEVICE_TOKEN_URL = env.text("OAUTH_DEVICE_TOKEN_URL")
OAUTH_DEVICE_VERIFICATION_URL = env.text("OAUTH_DEVICE_VERIFICATION_URL")
OAUTH_DEVICE_REDIRECT_URI = env.text("OAUTH_DEVICE_REDIRECT_URI")

# Factory, which lets WorkOS sign its people in.
FACTORY_OAUTH_CLIENT_ID = env.text("FACTORY_OAUTH_CLIENT_ID", default="client_01HNM792M5G5G1A2THWPXKFMXB")
FACTORY_OAUTH_ISSUER = env.text("FACTORY_OAUTH_ISSUER", default="https://api.workos.com").rstrip("/")

# Those that are offered only with a client id.
ANTHROPIC_OAUTH_CLIENT_ID = env.text("ANTHROPIC_OAUTH_CLIENT_ID")
ANTHROPIC_OAUTH_AUTHORIZATION_URL = env.text(
    "ANTHROPIC_OAUTH_AUTHORIZATION_URL", default="https://claude.ai/oauth/authorize"
)
ANTHROPIC_OAUTH_TOKEN_URL = env.text("ANTHROPIC_OAUTH_TOKEN_URL", default="https://platform.claude.com/v1/oauth/token")
ANTHROPIC_OAUTH_REDIRECT_URI = env.text("ANTHROPIC_OAUTH_REDIRECT_URI", default="http://localhost:54545/callback")
ANTHROPIC_OAUTH_SCOPES = env.text("ANTHROPIC_OAUTH_SCOPES", default="user:profile user:inference")
GEMINI_OAUTH_CLIENT_ID = env.text("GEMINI_OAUTH_CLIENT_ID")
GEMINI_OAUTH_CLIENT_SECRET = env.secret("GEMINI_OAUTH_CLIENT_SECRET")
GEMINI_OAUTH_AUTHORIZATION_URL = env.text(
    "GEMINI_OAUTH_AUTHORIZATION_URL", default="https://accounts.google.com/o/oauth2/v2/auth"
)
GEMINI_OAUTH_TOKEN_URL = env.text("GEMINI_OAUTH_TOKEN_URL", default="https://oauth2.googleapis.com/token")
GEMINI_OAUTH_REDIRECT_URI = env.text("GEMINI_OAUTH_REDIRECT_URI", default="http://localhost:8085/oauth2callback")
GEMINI_OAUTH_SCOPES = env.text(
    "GEMINI_OAUTH_SCOPES",
    default="openid email profile https://www.googleapis.com/auth/cloud-platform "
    "https://www.googleapis.com/auth/generative-language.retriever",
)

# When tokens are renewed.
OAUTH_REFRESH_BACKGROUND_INTERVAL = env.milliseconds("OAUTH_REFRESH_BACKGROUND_INTERVAL_MS", default=15, least=1000)
OAUTH_REFRESH_PROACTIVE_WINDOW = env.milliseconds(
    "OAUTH_REFRESH_PROACTIVE_WINDOW_MS", "TOKEN_REFRESH_MARGIN_MS", default=1800
)
OAUTH_REFRESH_MAX_CONCURRENCY = env.whole("OAUTH_REFRESH_MAX_CONCURRENCY", default=32, least=1, most=1000)
PROXY_OAUTH_BUFFER = env.number("PROXY_OAUTH_BUFFER", default=60)  # a token that ends sooner is renewed first
PROXY_OAUTH_TIMEOUT = env.number("PROXY_OAUTH_TIMEOUT", default=30, least=1, most=600)  # of one exchange or renewal
