"""What the console's frame (title, menu, theme) needs on a page that is not one of the admin's."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class Framed:
    """A page with a title inside the console's frame."""

    title = ""
    request: HttpRequest

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Add the frame's facts."""
        own: dict[str, Any] = super().get_context_data(**more)  # type: ignore[misc]
        return {**admin.site.each_context(self.request), "title": self.title, **own}
