"""The template tag for the head of each page."""

from collections.abc import Sequence
from typing import Any

from django import template

from proxx.console import trail

register = template.Library()


@register.simple_tag(takes_context=True)
def way(context: template.Context, parts: Sequence[trail.Step]) -> list[dict[str, Any]]:
    """Return the steps to this page, given those of the theme."""
    return trail.named(parts, context["request"])
