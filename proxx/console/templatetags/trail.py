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


@register.simple_tag(takes_context=True)
def place(context: template.Context, otherwise: str) -> str:
    """Return the name of this page in the menu, or another where it has none there."""
    return trail.title(context["request"]) or otherwise
