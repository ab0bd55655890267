"""Lines of CSV that a spreadsheet opens without running anything (security G4)."""

import csv
import io
from collections.abc import Iterable
from typing import Any

# A full-width sign is taken for the plain one by spreadsheets of some countries.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def line(cells: Iterable[Any]) -> str:
    """Return one line; a cell that could be taken for a formula begins with an apostrophe."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([f"'{cell}" if str(cell).startswith(FORMULA) else cell for cell in cells])
    return buffer.getvalue()
