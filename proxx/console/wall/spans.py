"""Lengths of time as a countdown says them: two units, no more. wall.js says the same between two looks at the page."""

from datetime import UTC, datetime

from django.utils.formats import date_format

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def length(seconds: float) -> str:
    """Return “4 d 3 h”, “2 h 14 min”, “5 min”, “12 s”."""
    left = max(0, round(seconds))
    for place, (size, unit) in enumerate(_UNITS):
        if left >= size:
            whole, rest = divmod(left, size)
            if place >= len(_UNITS) - 2 or not (more := rest // _UNITS[place + 1][0]):
                return f"{whole} {unit}"
            return f"{whole} {unit} {more} {_UNITS[place + 1][1]}"
    return "0 s"


def clock_time(unix: float) -> str:
    """Return a moment as people read it on a page."""
    return f"{date_format(datetime.fromtimestamp(unix, UTC), 'j M H:i')} UTC"
