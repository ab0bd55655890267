"""How the control API says no: one envelope, the one that OpenAI's clients read, with a code that does not change.

400 is a body that is no JSON, 422 a field that is not as it must be (the message names it; official clients map both to
their own exceptions), 404 what is not there or not the caller's, 409 what others still use, 412 what changed meanwhile.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.errors import ValidationError as Unreadable

from proxx.gateway.errors import GatewayError
from proxx.kit import fastjson

log = logging.getLogger("proxx.api.control")

MOST_SAID = 20  # faults named in one answer
KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


class Fault(Schema):
    """What went wrong: a sentence for people, a code for programs, and the field, if it is one field's fault."""

    message: str
    type: str
    code: str
    param: str | None


class Faulty(Schema):
    """The envelope of every error."""

    error: Fault


class Refused(Exception):
    """The caller asked for what cannot be done; the message is a sentence for them."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after: float | None = None  # seconds


def not_found(noun: str = "row") -> Refused:
    """Return the one answer for what is not there and for what is somebody else's."""
    return Refused(404, "not_found", f"There is no such {noun}.")


def answer(refused: Refused) -> HttpResponse:
    """Write a refusal."""
    kind = KINDS.get(refused.status, "server_error" if refused.status >= 500 else "invalid_request_error")
    error = {"message": refused.message, "type": kind, "code": refused.code, "param": refused.param}
    response = HttpResponse(fastjson.dumps({"error": error}), status=refused.status, content_type="application/json")
    response["x-proxx-error-code"] = refused.code
    if refused.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if refused.retry_after is not None:
        response["retry-after"] = str(max(1, round(refused.retry_after)))
    return response


def install(api: NinjaAPI) -> None:
    """Teach an API to answer all that may be raised below it."""
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)


def _gateway(request: HttpRequest, fault: GatewayError) -> HttpResponse:
    refused = Refused(fault.status, fault.facts.code or fault.facts.kind, fault.facts.message)
    refused.retry_after = fault.retry_after
    return answer(refused)


def _unreadable(request: HttpRequest, fault: Unreadable) -> HttpResponse:
    """Say which fields are not as the document promises; where something lies is said without the framework's own
    names."""
    said, first = [], None
    for one in fault.errors[:MOST_SAID]:
        place = ".".join(str(part) for part in one.get("loc", ()) if part not in {"body", "query", "path", "payload"})
        words = "There is no such field" if one.get("type") == "extra_forbidden" else str(one.get("msg", "is wrong"))
        said.append(f"{place}: {words}." if place else "Send a JSON object.")
        first = first or place or None
    return answer(Refused(422, "invalid_fields", " ".join(said), param=first))


def _invalid(request: HttpRequest, fault: ValidationError) -> HttpResponse:
    """Say what the model refuses."""
    if not hasattr(fault, "error_dict"):
        return answer(Refused(422, "invalid_fields", " ".join(fault.messages)))
    found = fault.message_dict
    said = [f"{name}: {' '.join(words)}" if name != "__all__" else " ".join(words) for name, words in found.items()]
    first = next((name for name in found if name != "__all__"), None)
    return answer(Refused(422, "invalid_fields", " ".join(said), param=first))


def _denied(request: HttpRequest, fault: PermissionDenied) -> HttpResponse:
    return answer(Refused(403, "missing_right", str(fault) or "You may not do this."))


def _in_use(request: HttpRequest, fault: Any) -> HttpResponse:
    return answer(Refused(409, "in_use", "Others still use it: take it out of use there first."))


def _http(request: HttpRequest, fault: HttpError) -> HttpResponse:
    code = "invalid_body" if fault.status_code == 400 else "invalid_request"
    return answer(Refused(fault.status_code, code, fault.message))


def unexpected(request: HttpRequest, fault: Exception) -> HttpResponse:
    """Write down what nobody expected, and say only that it was."""
    log.error("%s of the control API broke", request.method, exc_info=fault)
    return answer(Refused(500, "internal_error", "Something broke inside proxx; its log says what."))


HANDLERS: dict[type[Exception], Any] = {
    Refused: lambda request, fault: answer(fault),
    GatewayError: _gateway,
    Unreadable: _unreadable,
    ValidationError: _invalid,
    Http404: lambda request, fault: answer(not_found()),
    PermissionDenied: _denied,
    ProtectedError: _in_use,
    RestrictedError: _in_use,
    HttpError: _http,
    Exception: unexpected,
}
