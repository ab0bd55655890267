"""The door to OpenTelemetry: `offer` a call that has ended and forget it. Off without OTEL_EXPORTER_OTLP_ENDPOINT.

Calls wait in memory for a thread of its own, which makes spans of them and sends these (otlp.py, the extra). A
collector that is slow or away costs calls nothing: what finds no room is dropped and counted.
"""

import asyncio
import logging
import threading
from collections import deque
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from analytics.record import UsageRecord
from proxx.kit import metrics

if TYPE_CHECKING:
    from analytics.otlp import Export

logger = logging.getLogger(__name__)

ROOM = 20_000  # calls: a dozen megabytes, and half a minute of the fastest traffic
PAUSE = 0.5  # seconds between two turns
BATCH = 500  # calls in one request to the collector
PATIENCE = 3.0  # seconds for the last turn

NEEDS_EXTRA = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages for it are not installed: "
    "pip install -r requirements/otel.txt, or set OTEL_SDK_DISABLED=true."
)

Offered = tuple[UsageRecord, str]

_waiting: deque[Offered] = deque()
_stop = threading.Event()
_thread: threading.Thread | None = None


def is_wished(settings: Any) -> bool:
    """Tell whether the settings ask for an export."""
    return bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT) and not settings.OTEL_SDK_DISABLED


def fault(settings: Any) -> str | None:
    """Say in one sentence why the export that is asked for cannot be; or nothing."""
    if not is_wished(settings):
        return None
    if settings.OTEL_EXPORTER_OTLP_PROTOCOL != "http/protobuf":
        return "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: it is the only one that proxx speaks."
    try:
        installed = find_spec("opentelemetry.exporter.otlp.proto.http") and find_spec("opentelemetry.sdk")
    except ModuleNotFoundError:
        installed = None
    return None if installed else NEEDS_EXTRA


def offer(record: UsageRecord, traceparent: str) -> None:
    """Hand over a call that has ended, with its client's header; costs next to nothing, also while nobody listens."""
    if _thread is None:
        return
    if len(_waiting) >= ROOM:
        metrics.count("proxx_telemetry_dropped")
        return
    _waiting.append((record, traceparent))


def start(settings: Any) -> None:
    """Begin to export if the settings ask for it; harmless when repeated."""
    global _thread
    if _thread is not None or not is_wished(settings):
        return
    from analytics.otlp import Export

    _stop.clear()
    _thread = threading.Thread(target=_work, args=(Export(settings),), name="telemetry", daemon=True)
    _thread.start()


async def drain() -> None:
    """Send what waits, as far as a few seconds reach, and end."""
    global _thread
    thread, _thread = _thread, None
    if thread is not None:
        _stop.set()
        await asyncio.to_thread(thread.join, PATIENCE)


def _work(export: "Export") -> None:
    stopping = False
    while not stopping:
        stopping = _stop.wait(PAUSE)
        while batch := [_waiting.popleft() for _ in range(min(BATCH, len(_waiting)))]:
            try:
                export.tell(batch)
            except Exception:  # this thread must outlive whatever one batch meets
                logger.exception("Calls could not be handed to the OpenTelemetry export.")
                metrics.count("proxx_telemetry_dropped", len(batch))
    export.close()
