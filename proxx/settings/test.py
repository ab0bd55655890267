"""Running the tests: fixed secrets that protect nothing, a database of its own, no environment of the developer's."""

import atexit
import os
import shutil
import tempfile

os.environ["PROXX_ENV_FILE"] = os.devnull
if "PROXY_DATA_DIR" not in os.environ:
    os.environ["PROXY_DATA_DIR"] = tempfile.mkdtemp(prefix="proxx-test-")
    atexit.register(shutil.rmtree, os.environ["PROXY_DATA_DIR"], ignore_errors=True)
os.environ["SECRET_KEY"] = "only-for-tests-0123456789-0123456789-0123456789-0123456789"
os.environ["PROXY_TOKEN_PEPPER"] = "only-for-tests-pepper-0123456789-0123456789"
os.environ["PROXY_ENCRYPTION_KEYS"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

from proxx.settings.base import *

ENVIRONMENT = {}  # a provider key of the developer's shell must not leak into a test
PROXY_KEYS_FILE = os.devnull
PROXY_MODELS_FILE = os.devnull
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed only
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True  # nothing is collected for a test
