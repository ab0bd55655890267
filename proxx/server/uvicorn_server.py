"""PROXX_SERVER=uvicorn: the same application behind uvicorn, with the limits that can be kept from outside it.

Kept here: size and number of headers (its protocol, subclassed), size of bodies and their sum, one whole body per
request, back-pressure (uvicorn's own), a stop that exits with 0. Deadlines for slow senders and readers are not: they
need a reverse proxy in front (docs/operations.md).
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxx.server import bodies, drain, listening, refusals
from proxx.server.bodies import Body, Room
from proxx.server.connections import FAREWELL
from proxx.server.exchange import Application
from proxx.server.limits import Limits
from proxx.server.refusals import Refusal, Refused


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which by itself takes heads of any size."""

    _head_size = _head_count = 0

    def data_received(self, data: bytes) -> None:
        """Count while a head is arriving; llhttp hands each header over when it is complete."""
        self._head_size += len(data)
        if self._head_size > settings.PROXY_HEADER_LIMIT and self._in_head:
            self._refuse(refusals.HEAD_TOO_LARGE)
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._head_count, self._in_head = 0, True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Drop names with an underscore, and count."""
        self._head_count += 1
        if b"_" not in name:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head, self._head_size = False, 0
        super().on_headers_complete()

    _in_head = True

    def _refuse(self, refusal: Refusal) -> None:
        self.transport.write(refusals.answer(refusal))
        self.transport.close()
