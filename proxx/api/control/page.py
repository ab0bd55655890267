"""The console's page that tells of the control API: every operation with its right and its fields, from its document.

Nothing on it runs anywhere: no script, no file of anybody else's. Programs read /api/v1/openapi.json.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from proxx.api.control.app import described

OLD = "As in what proxx replaces"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request: where it stands, what it may be, and what it means."""

    name: str
    place: str
    kind: str
    is_required: bool
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """One operation, for people."""

    method: str
    path: str
    summary: str
    says: str
    fields: tuple[Field, ...]


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show all operations by area; those of old come last."""
    document = described()
    areas: dict[str, list[Told]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            areas.setdefault(operation["tags"][0], []).append(_told(method, path, operation, document))
    ordered = sorted(areas.items(), key=lambda area: (area[0] == OLD, area[0]))
    base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    context = {**site.each_context(request), "title": "Control API", "areas": ordered, "base": base}
    return TemplateResponse(request, "admin/control_api.html", context)


def _told(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> Told:
    fields = (*_parameters(operation, document), *_body(operation, document))
    return Told(method.upper(), path, operation["summary"], operation.get("description", ""), fields)


def _parameters(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[Field]:
    for one in operation.get("parameters", ()):
        says = one.get("description") or one["schema"].get("description", "")
        yield Field(one["name"], one["in"], _kind(one["schema"], document), bool(one.get("required")), says)


def _body(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[Field]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(content.get("schema", {}), document)
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Field(name, "body", _kind(one, document), name in required, one.get("description", ""))


def _kind(schema: dict[str, Any], document: dict[str, Any]) -> str:
    """Return in a few words what a value may be."""
    found = _resolved(schema, document)
    if "anyOf" in found:
        return " or ".join(dict.fromkeys(_kind(one, document) for one in found["anyOf"]))
    if "enum" in found:
        return " | ".join("“”" if one == "" else str(one) for one in found["enum"])
    if found.get("type") == "array":
        return f"list of {_kind(found.get('items', {}), document)}"
    return str(found.get("format") or found.get("const") or found.get("type") or "any")


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    found: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]] if reference else schema
    return found
