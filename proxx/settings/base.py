"""What is always true: SQLite and no Redis unless told otherwise, secrets only from outside."""

from urllib.parse import urlsplit

import environ

from proxx.settings import env
from proxx.settings.env import ROOT
from proxx.settings.gateway import *
from proxx.settings.logs import LOGGING, PROXY_LOG_FORMAT, PROXY_LOG_LEVEL  # noqa: F401
from proxx.settings.oauth import *
from proxx.settings.sign_in import *
from proxx.settings.telemetry import *
from proxx.settings.unfold import UNFOLD  # noqa: F401

BASE_DIR = ROOT
ENVIRONMENT = env.everything()

# Secrets. Empty means missing; proxx/server and the system checks refuse to serve then.
SECRET_KEY = env.secret("SECRET_KEY", "SESSION_SECRET")
KEY_PEPPER = env.secret("PROXY_TOKEN_PEPPER")
FORMER_PEPPERS = tuple(env.secret("PROXY_TOKEN_PEPPER_FORMER").replace(",", " ").split())
SEALING_KEYS = tuple(key for key in env.secret("PROXY_ENCRYPTION_KEYS").replace(",", " ").split() if key)

DEBUG = False
PUBLIC_URL = env.address("PROXY_PUBLIC_URL", env.text("PROXY_PUBLIC_URL", "RENDER_EXTERNAL_URL"), "http", "https")
PUBLIC_URL = PUBLIC_URL.rstrip("/")
ALLOWED_HOSTS = [
    *env.words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]"),
    *filter(None, [urlsplit(PUBLIC_URL).hostname]),
]
CSRF_TRUSTED_ORIGINS = [*env.words("CSRF_TRUSTED_ORIGINS", default=PUBLIC_URL)]

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.github",
    "allauth.usersessions",
    "accounts",
    "oauth",
    "routing",
    "analytics",
    "proxx.console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "proxx.middleware.ConsoleHeaders",
    "proxx.middleware.NoZeroBytes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.signin.middleware.EndOverdue",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "proxx.middleware.WhoActs",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.signin.middleware.DemandSecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "proxx.urls"
ASGI_APPLICATION = "proxx.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The database: one file beside the code, or DATABASE_URL.
DATABASE_URL = env.secret("DATABASE_URL")
if DATABASE_URL:
    DATABASES = {"default": {**environ.Env.db_url_config(DATABASE_URL), "CONN_HEALTH_CHECKS": True}}
    if "postgresql" in DATABASES["default"]["ENGINE"]:
        # A server that vanishes without a word is noticed in seconds, not after the quarter of an hour TCP would take.
        vanished = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
        given = DATABASES["default"].get("OPTIONS", {})
        DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, **vanished, **given}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{PROXY_DATA_DIR}/proxx.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",  # a reader that turns writer would fail at once instead of waiting
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis: state, messages and jobs between processes. Without it each process keeps its own.
REDIS_URL = env.address("REDIS_URL", env.secret("REDIS_URL"), "redis", "rediss", "unix")
if REDIS_URL.startswith("rediss:") and "ssl_cert_reqs=" not in REDIS_URL:
    # Some hosts (Heroku) sign their Redis themselves: only there, and only by this switch, is it not verified.
    verify = env.flag("PROXY_REDIS_TLS_VERIFY", default=True)
    REDIS_URL += f"{'&' if '?' in REDIS_URL else '?'}ssl_cert_reqs={'required' if verify else 'none'}"
# Before every name there, so that several installations can share a Redis. The number of a database keeps keys apart,
# but no messages, so it is part of the usual prefix.
_number = "".join(filter(str.isdigit, urlsplit(REDIS_URL).path)) if REDIS_URL.startswith("redis") else ""
REDIS_PREFIX = env.text("PROXY_REDIS_PREFIX", default=f"proxx-{int(_number)}" if int(_number or 0) else "proxx")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}:layer"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# Operators.
AUTH_USER_MODEL = "accounts.Operator"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "proxx.settings.formats"
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]

# Our own body limits stand in the server and in the slim handler; Django's would refuse above 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = None
FILE_UPLOAD_MAX_MEMORY_SIZE = PROXY_BODY_LIMIT
