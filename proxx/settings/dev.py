"""Working on proxx: pages explain their faults, static files come straight from their folders."""

from proxx.settings import env
from proxx.settings.base import *

DEBUG = env.flag("DEBUG", default=True)
SESSION_COOKIE_NAME = "proxx_session"
CSRF_COOKIE_NAME = "proxx_csrf"
WHITENOISE_USE_FINDERS = True
