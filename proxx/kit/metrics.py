"""Counters and histograms in one registry; labels come from closed sets only, never from callers' text."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_counters: dict[str, Counter] = {}
_histograms: dict[str, Histogram] = {}


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter, made on first use."""
    counter = _counters.get(name)
    if counter is None:
        counter = _counters[name] = Counter(name, name.replace("_", " "), sorted(labels), registry=REGISTRY)
    (counter.labels(**labels) if labels else counter).inc(amount)


def observe(name: str, value: float, **labels: str) -> None:
    """Add a value to a histogram, made on first use."""
    histogram = _histograms.get(name)
    if histogram is None:
        histogram = _histograms[name] = Histogram(name, name.replace("_", " "), sorted(labels), registry=REGISTRY)
    (histogram.labels(**labels) if labels else histogram).observe(value)


def render() -> bytes:
    """Return everything in Prometheus' text format."""
    return generate_latest(REGISTRY)


def value(name: str, **labels: str) -> float:
    """Return a counter's value now; 0 if it was never touched."""
    return REGISTRY.get_sample_value(f"{name.removesuffix('_total')}_total", labels or None) or 0.0
