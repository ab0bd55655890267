"""The console's look and sidebar, as data for django-unfold."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "proxx",
    "SITE_HEADER": "proxx",
}
