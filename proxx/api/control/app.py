"""The control API: its areas, what every answer has in common, and the check that each operation has a policy.

It is served by Django's own side (proxx/urls.py), in threads and with the ORM: no client path waits for it. What may be
done stands with each operation (`Needs`); the functions that do it belong to the rooms below, and the console's pages
call the same ones.
"""

import functools
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404, URLPattern, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.parser import Parser

from accounts.acting import acting_as
from proxx.api.control import (
    accounts,
    credentials,
    errors,
    keys,
    limits,
    names,
    once,
    people,
    providers,
    renewals,
    routes,
    settings,
    shelves,
    sign_ins,
    tenants,
    usage,
)
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused
from proxx.api.control.seeds import admin, auth, events, metrics, observed, quotas, stats, traces, ui
from proxx.api.control.seeds import settings as old_settings
from proxx.api.control.seeds import sign_ins as old_sign_ins
from proxx.api.health import product_version

REASON = "x-proxx-reason"  # why something is changed, for the audit
LONGEST_REASON = 300
REFUSALS = (400, 401, 403, 404, 409, 412, 422, 429, 500, 503)
ABOUT = (
    "Everything that the console does. Send the token of PROXY_AUTH_TOKEN or a key with a control scope as "
    "`Authorization: Bearer ...`; operators may use the console's session. A key sees its own tenant. Money is whole "
    "nano-dollars, times are UTC. A header `x-proxx-reason` says in the audit why something is changed; with an "
    "`Idempotency-Key` a change is made once, however often it is sent within a day."
)


WAYS_IN = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "adminToken": {"type": "apiKey", "in": "header", "name": "x-admin-token"},
    "session": {"type": "apiKey", "in": "cookie", "name": "proxx_session"},
}


class StrictParser(Parser):
    """Reads JSON that says one thing only: no NaN, no field twice, no text that a database cannot hold."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body; ninja answers a `ValueError` with 400."""
        try:
            return json.loads(request.body, object_pairs_hook=_once, parse_constant=_no_constant)
        except RecursionError:
            raise ValueError("The body is nested too deeply.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A field is there twice.")
    for name, value in pairs:
        for text in (name, *(value if isinstance(value, list) else (value,))):
            if isinstance(text, str) and not _is_storable(text):
                raise ValueError("A text holds what no database takes.")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number.")


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _acting(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Let the audit know who acts, and why, while an operation runs."""

    @functools.wraps(operation)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        reason = request.headers.get(REASON, "")[:LONGEST_REASON]
        caller = request.auth  # type: ignore[attr-defined]
        with acting_as(caller.actor, reason):
            before = once.begin(request, caller)
            return operation(request, *args, **kwargs) if before is None else before

    return run


def _finished(view: Callable[..., Any]) -> Callable[..., Any]:
    """Give every answer below the API what all of them have: no cache, and the one envelope for a wrong method."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            response: HttpResponse = errors.answer(Refused(400, "invalid_request", "An address holds no zero byte."))
        else:
            response = _once_answered(view, request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = ", ".join(sorted(response["Allow"].split(", ")))
            said = f"{request.method} is not allowed here; {allowed} is."
            response = errors.answer(Refused(405, "method_not_allowed", said))
            response["Allow"] = allowed
        response["Cache-Control"] = "no-store, private"
        return response

    return run


def _once_answered(view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        response: HttpResponse = view(request, *args, **kwargs)
    except BaseException as fault:
        once.abandon(request, fault)
        raise
    try:
        once.end(request, response)
    except Exception as fault:
        return errors.unexpected(request, fault)
    return response


@csrf_exempt  # it changes nothing, and must not be answered by a page
def _absent(request: HttpRequest) -> HttpResponse:
    if _is_a_rows_place(request.path_info):
        return errors.answer(errors.not_found())
    said = "There is no such path here; GET /api/v1/openapi.json names those there are."
    return errors.answer(Refused(404, "unsupported_endpoint", said))


def _is_a_rows_place(path: str) -> bool:
    """Tell whether a path would be one of ours, were its fourth step an id."""
    steps = path.split("/")
    if len(steps) < 5 or steps[1:3] != ["api", "v1"]:
        return False
    for id in (str(UUID(int=0)), "0"):
        try:
            view = resolve("/".join([*steps[:4], id, *steps[5:]])).func
        except Resolver404:
            continue
        if getattr(view, "__wrapped__", view) is not _absent:
            return True
    return False


def policies(wanted: NinjaAPI) -> list[tuple[str, str, Needs]]:
    """Return every operation with its path and its policy; raise `ImproperlyConfigured` for one without."""
    found = []
    for router in wanted._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                place = f"{router.prefix}{path}"
                found += [(method, place, _policy(operation, place)) for method in operation.methods]
    return found


def _policy(operation: Operation, path: str) -> Needs:
    match operation.auth_callbacks:
        case [Needs() as policy]:
            about = (operation.description or "").strip()
            if policy.rights and policy.said not in about:
                operation.description = f"{about} {policy.said}".strip()
            return policy
    raise ImproperlyConfigured(f"{operation.methods} {path} of the control API says not which right it needs.")


class ControlAPI(NinjaAPI):
    """Ninja's API, whose operations are named by where they are: one function may be at two places."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the method and the path as one word."""
        for router in self._get_bound_routers():
            for path, view in router.path_operations.items():
                if any(one is operation for one in view.operations):
                    place = re.sub(r"\{(?:\w+:)?(\w+)\}", r"\1", f"{router.prefix}{path}")
                    return re.sub(r"\W+", "_", f"{operation.methods[0].lower()}{place}")
        return str(super().get_openapi_operation_id(operation))


api = ControlAPI(
    title="proxx control API",
    version=product_version(),
    description=ABOUT,
    urls_namespace="control",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
)
errors.install(api)
api.add_decorator(_acting, mode="operation")
AREAS = (people, tenants, settings, keys, limits, credentials, accounts, sign_ins, providers, names, routes, usage)
for _area in AREAS:
    api.add_router("/api/v1", _area.router)
api.add_router("/api/ui", ui.own)
for _prefix in ("/api/ui", "/api/v1"):
    api.add_router(_prefix, ui.both, url_name_prefix=_prefix.strip("/").replace("/", "-"))
    for _old in (old_settings, observed, events, quotas, old_sign_ins):
        api.add_router(_prefix, _old.both, url_name_prefix=_prefix.strip("/").replace("/", "-"))
BELOW_ADMIN = (
    admin.router,
    quotas.admin,
    old_settings.below_admin,
    old_sign_ins.below_admin,
    traces.router,
    stats.router,
)
for _router in BELOW_ADMIN:
    api.add_router("/admin", _router)
api.add_router("/api/v1", renewals.router)
for _prefix in ("/api/ui", "/api/v1"):
    api.add_router(_prefix, renewals.both, url_name_prefix=f"{_prefix.strip('/').replace('/', '-')}-renewals")
api.add_router("/api", metrics.router)
api.add_router("/auth", auth.router)


@api.get("/api/v1/openapi.json", auth=Needs(), response=shelves.answers(dict[str, Any]), tags=["About"])
def document(request: HttpRequest) -> dict[str, Any]:
    """Return this API's own OpenAPI document."""
    return described()


@functools.lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """Return the OpenAPI document, with the ways in by their own names."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=""))
    found["components"]["securitySchemes"] = WAYS_IN
    refusals = _refusals(found["components"]["schemas"])
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"] |= refusals
            operation["security"] = [{name: []} for name in WAYS_IN]
    return found


def _refusals(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return every refusal in the one envelope, whose schema joins the others: written once, not for each operation,
    which would keep the process busy for seconds."""
    envelope = errors.Faulty.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**envelope.pop("$defs"), "Faulty": envelope}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Faulty"}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in REFUSALS}


POLICIES = policies(api)
BELOW = r"^(?:api/(?:v1|ui)|admin|auth)(?:/[\s\S]*)?\Z"  # any character: a line break is no way out
urlpatterns = [*api.urls[0], re_path(BELOW, _absent)]
for _pattern in urlpatterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = _finished(_pattern.callback)
