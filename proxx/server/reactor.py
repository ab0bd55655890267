"""Twisted's reactor, as the asyncio one that Daphne installs. Its types promise less than it has, hence Any."""

from typing import Any

import daphne.server  # noqa: F401 - importing it is what installs the reactor
from twisted.internet import reactor as _installed

reactor: Any = _installed
