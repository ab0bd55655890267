"""What a process counts, for Prometheus; labels come from closed sets only, never from callers' text.

Rare events are counted here, each with a line in `COUNTED`. What happens in each call adds itself up where it is known
and joins in when somebody asks (`add`). The door is proxx/api/metrics.py.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client import disable_created_metrics as _disable_created_metrics
from prometheus_client import generate_latest as _text
from prometheus_client.core import Metric

Families = Callable[[], Iterable[Metric]]

# Every counter: what it counts, and its labels.
COUNTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "proxx_config_reloads": ("Times the configuration was read anew.", ()),
    "proxx_config_reload_faults": ("Times it could not be read, so that the one before stayed.", ()),
    "proxx_redis_faults": ("Times Redis did not answer.", ()),
    "proxx_ledger_faults": ("Times a budget could not be asked, so that the call was refused.", ()),
    "proxx_records_written": ("Records brought into the database.", ()),
    "proxx_records_replayed": ("Records brought in from a journal, after an outage or a crash.", ()),
    "proxx_records_lost": ("Records given up, by reason.", ("reason",)),
    "proxx_bodies_kept": ("Calls whose prompts and answers were stored.", ()),
    "proxx_bodies_lost": (
        "Calls whose prompts and answers were not stored, or not to their end, by reason.",
        ("reason",),
    ),
    "proxx_journal_faults": ("Times the journal could not be written.", ()),
    "proxx_journal_torn_lines": ("Lines of journals that were only half written.", ()),
    "proxx_oauth_renewals": ("Renewals of sign-in tokens, by what came of them.", ("result",)),
    "proxx_keys_refused": ("Requests turned away for their key, by reason.", ("reason",)),
    "proxx_traffic_log_dropped": ("Pieces and lines that the traffic log did not take, or gave up.", ("reason",)),
    "proxx_telemetry_dropped": ("Calls that did not reach the OpenTelemetry collector.", ()),
}

# They would be a second series beside each counter, which says nothing that the start of the process does not.
_disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
_counters = {name: Counter(name, text, labels, registry=REGISTRY) for name, (text, labels) in COUNTED.items()}
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


class _Joined:
    def __init__(self, families: Families) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        return ()  # nothing is worked out before somebody asks

    def collect(self) -> Iterator[Metric]:
        yield from self._families()


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter of the table."""
    counter = _counters[name]
    (counter.labels(**labels) if labels else counter).inc(amount)


def add(families: Families) -> None:
    """Let somebody add what they know whenever somebody asks; in a thread of its own, not the loop's."""
    REGISTRY.register(_Joined(families))


def render() -> bytes:
    """Return everything in Prometheus' text format."""
    return bytes(_text(REGISTRY))


def value(name: str, **labels: str) -> float:
    """Return a counter's value now; 0 if it was never touched."""
    samples = (sample for family in _counters[name].collect() for sample in family.samples)
    return sum(sample.value for sample in samples if sample.labels == labels)
