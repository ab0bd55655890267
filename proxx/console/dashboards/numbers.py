"""Numbers as people read them: short, with their unit; a dash for what nobody knows."""

from analytics.readings.sums import NANO, Sums

UNKNOWN = "–"
ESTIMATE = "≈"


def count(value: float | None) -> str:
    """Return 9,999 or 12.3k or 4.5M."""
    if value is None:
        return UNKNOWN
    if abs(value) < 10_000:
        return f"{value:,.0f}"
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:,.0f}"


def money(value: float | None) -> str:
    """Return dollars: two decimals, more for little."""
    if value is None:
        return UNKNOWN
    if value and abs(value) < 0.01:
        return f"${value:.6f}".rstrip("0")
    return f"${value:,.2f}" if abs(value) >= 1 or not value else f"${value:.4f}"


def cost(sums: Sums) -> str:
    """Return what it cost; “unpriced” where something was used and nothing of it has a price."""
    return "unpriced" if sums.cost is None else money(sums.cost_nano / NANO)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share (0..1) in percent."""
    if share is None:
        return UNKNOWN
    return "100 %" if share == 1 else "0 %" if share == 0 else f"{100 * share:.{digits}f} %"


def span(milliseconds: float | None) -> str:
    """Return a length of time."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 60_000 else f"{milliseconds / 60_000:.1f} min"


def rate(per_second: float | None) -> str:
    """Return a speed in tokens a second."""
    return UNKNOWN if per_second is None else f"{per_second:,.{1 if per_second < 1000 else 0}f}"


def change(share: float | None) -> str:
    """Return by how much something grew or shrank."""
    if share is None:
        return ""
    if abs(share) < 0.005:
        return "± 0 %"
    if share >= 10:
        return f"× {share + 1:.0f}"
    return f"{'+' if share > 0 else '−'}{abs(share) * 100:.{0 if abs(share) >= 0.1 else 1}f} %"


def energy(joules: float) -> str:
    """Return an estimate of energy."""
    for size, unit in ((3.6e6, "kWh"), (1e3, "kJ")):
        if joules >= size:
            return f"{ESTIMATE} {joules / size:,.1f} {unit}"
    return f"{ESTIMATE} {joules:,.0f} J"


def water(millilitres: float) -> str:
    """Return an estimate of water."""
    return f"{ESTIMATE} {millilitres / 1000:,.1f} l" if millilitres >= 1000 else f"{ESTIMATE} {millilitres:,.1f} ml"
