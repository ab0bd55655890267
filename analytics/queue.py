"""The door of the record path: `offer` a record and forget it. One Writer per process, made at the first use."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from analytics import meters
from analytics.bodies import writer as body_writer
from analytics.record import UsageRecord
from analytics.writer import Writer
from proxx.kit import clock, metrics
from proxx.kit.configured import settings

logger = logging.getLogger(__name__)

_writer: Writer | None = None


@dataclass(frozen=True, slots=True)
class State:
    """How this process's record path is: records waiting and lost, and the database's fault if it takes none."""

    waiting: int
    lost: int
    fault: str | None


def offer(record: UsageRecord) -> None:
    """Take a record, from the event loop's thread: never waits for the database, never raises.

    When this returns the record is in the journal, so that the process may be killed; if the disk refuses it, it is
    in memory; if memory is full too, it is lost, counted and shown on the console.
    """
    try:
        _the_writer().put(record)
    except Exception:  # a record must never cost a caller the answer
        metrics.count("proxx_records_lost", reason="fault")
        logger.exception("A record could not be kept.")
    try:
        meters.note(record)
    except Exception:  # neither may figures
        logger.exception("A call could not be counted.")


def start() -> None:
    """Begin writing on the running loop (and replay what earlier processes left); harmless when repeated."""
    _the_writer().start()


async def drain(seconds: float) -> None:
    """Stop writing: bring what can be brought into the database within that time; the journal keeps the rest."""
    began = clock.monotonic()
    if _writer is not None:
        await _writer.drain(seconds)
    await body_writer.drain(max(0.0, seconds - (clock.monotonic() - began)))


def state() -> State:
    """Return how the record path of this process is right now."""
    if _writer is None:
        return State(0, 0, None)
    return State(_writer.waiting, _writer.lost, _writer.fault)


def journal_bytes() -> int:
    """Return how large this process's journal is."""
    return _writer.journal_bytes if _writer is not None else 0


def _the_writer() -> Writer:
    global _writer
    if _writer is None:
        _writer = Writer(
            Path(settings.PROXY_DATA_DIR) / "journal",
            batch=settings.PROXY_RECORD_BATCH,
            flush=settings.PROXY_RECORD_FLUSH,
            limit=settings.PROXY_JOURNAL_LIMIT,
        )
    return _writer


def _forget() -> None:
    global _writer
    _writer = None  # a forked child must not write into its parent's journal


os.register_at_fork(after_in_child=_forget)
