"""A thread of its own that asks the database, so that a database that hangs holds up nobody else.

The thread is a daemon: a question that never returns must not keep the process from ending.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Full, Queue
from typing import Any, TypeVar

from django.db import close_old_connections

from proxx.kit import clock

Answer = TypeVar("Answer")


class TooManyWaiting(Exception):
    """More questions wait than one thread could answer in good time."""


class Asker:
    """One lazily started thread, one question at a time, a bounded line before it."""

    def __init__(self, name: str, *, waiting_limit: int) -> None:
        self._name = name
        self._line: Queue[tuple[Callable[[], Any], Future[Any]]] = Queue(waiting_limit)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._since: float | None = None

    def ask(self, question: Callable[[], Answer]) -> "Future[Answer]":
        """Queue a question and return its future at once; raise `TooManyWaiting` if the line is full."""
        future: Future[Answer] = Future()
        try:
            self._line.put_nowait((question, future))
        except Full:
            raise TooManyWaiting from None
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._answer_forever, name=self._name, daemon=True)
                self._thread.start()
        return future

    def busy_for(self) -> float:
        """Return for how many seconds the present question has been unanswered; 0 if there is none."""
        since = self._since
        return 0.0 if since is None else clock.monotonic() - since

    def _answer_forever(self) -> None:
        while True:
            question, future = self._line.get()
            self._since = clock.monotonic()
            answer, fault = _answer(question)
            # Before the answer goes out: who gets it may ask again at once and must not find us busy.
            self._since = None
            if fault is None:
                future.set_result(answer)
            else:
                future.set_exception(fault)


def _answer(question: Callable[[], Answer]) -> tuple[Answer | None, Exception | None]:
    try:
        # Outside a Django request nobody else closes what has grown old or was left broken by an outage.
        close_old_connections()
        try:
            return question(), None
        finally:
            close_old_connections()
    except Exception as fault:  # it belongs to whoever asked; this thread lives on
        return None, fault
