"""Signing in to providers at the paths of what proxx replaces, in their shapes, without the tokens.

Each is an alias of what sign_ins.py does. A flow's id is its row's; `deviceAuthId` is that too: the provider's own code
stays here. Where browsers come back to is oauth/urls.py.
"""

from typing import Annotated, Any
from uuid import UUID

from django.core.validators import validate_email
from django.http import HttpRequest
from ninja import Router
from pydantic import AfterValidator, Field, StrictStr

from accounts.models import Credential
from oauth.pages.flow import who
from oauth.pending import EXPIRED, PendingLogin
from proxx.api.control import sign_ins
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.seeds.ui import SEED, Json, Word
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers
from proxx.api.control.sign_ins import GOES_ON, WRITES

both = Router()  # below /api/ui and /api/v1
below_admin = Router()

STATES = {"waiting": "pending", "working": "pending", "done": "authorized", "failed": "failed"}
OLD_STATES = {"waiting": "pending", "working": "pending", "done": "success", "failed": "error"}


def _email(text: str) -> str:
    try:
        validate_email(text)
    except Exception:
        raise ValueError("is no e-mail address") from None
    return text


class BrowserWish(Strict):
    """A sign-in with a browser; `redirectBaseUrl` is taken and not needed."""

    accountId: Word | None = None
    redirectBaseUrl: Word | None = None


class DeviceWish(Strict):
    """A sign-in with a code."""

    accountId: Word | None = None


class DevicePoll(Strict):
    """Which sign-in with a code."""

    deviceAuthId: Word
    userCode: Word | None = None


class FlowWish(Strict):
    """A sign-in as MultiCodex begins it."""

    email: Annotated[StrictStr, Field(max_length=254), AfterValidator(_email)]
    accountId: Word | None = None
    method: Word = "browser"


class FlowNamed(Strict):
    """One sign-in."""

    flowId: Word


class FlowInput(FlowNamed):
    """One sign-in, and what came back."""

    input: sign_ins.Pasted


@both.post("/credentials/openai/oauth/browser/start", auth=WRITES, response=answers(Json), tags=SEED)
def openai_browser(request: HttpRequest, payload: BrowserWish) -> Any:
    """Begin a sign-in with a browser at OpenAI."""
    return _browser(request, "openai", payload)


@both.post("/credentials/factory/oauth/browser/start", auth=WRITES, response=answers(Json), tags=SEED)
def factory_browser(request: HttpRequest, payload: BrowserWish) -> Any:
    """Begin a sign-in with a browser at Factory."""
    return _browser(request, "factory", payload)


@both.post("/credentials/openai/oauth/device/start", auth=WRITES, response=answers(Json), tags=SEED)
def openai_device(request: HttpRequest, payload: DeviceWish) -> Any:
    """Begin a sign-in with a code at OpenAI."""
    return _device(request, "openai", payload)


@both.post("/credentials/factory/oauth/device/start", auth=WRITES, response=answers(Json), tags=SEED)
def factory_device(request: HttpRequest, payload: DeviceWish) -> Any:
    """Begin a sign-in with a code at Factory."""
    return _device(request, "factory", payload)


@both.post("/credentials/openai/oauth/device/poll", auth=GOES_ON, response=answers(Json), tags=SEED)
def openai_poll(request: HttpRequest, payload: DevicePoll) -> Any:
    """Ask whether OpenAI's code was typed."""
    return _polled(payload)


@both.post("/credentials/factory/oauth/device/poll", auth=GOES_ON, response=answers(Json), tags=SEED)
def factory_poll(request: HttpRequest, payload: DevicePoll) -> Any:
    """Ask whether Factory's code was typed."""
    return _polled(payload)


@below_admin.post("/oauth/start", auth=WRITES, response=answers(Json), tags=SEED)
def start_flow(request: HttpRequest, payload: FlowWish) -> Any:
    """Begin a sign-in at OpenAI, with a browser or a code."""
    if payload.method not in ("browser", "device"):
        raise Refused(422, "invalid_fields", "method: browser or device.", param="method")
    again = _account("openai", payload.accountId)
    row = sign_ins.begin(request, sign_ins.entry_of("openai"), payload.method, again, payload.email)
    told = sign_ins.told(row)
    common = {"ok": True, "flowId": str(row.pk), "method": row.method}
    if row.method == PendingLogin.Method.BROWSER:
        return {**common, "authorizeUrl": told["url"], "expectedRedirectUri": row.redirect_uri}
    return {
        **common,
        "userCode": told["user_code"],
        "verificationUrl": told["url"],
        "intervalSeconds": row.interval,
        "expiresAt": int(row.ends_at.timestamp() * 1000),
    }


@below_admin.post("/oauth/complete", auth=GOES_ON, response=answers(Json), tags=SEED)
def complete_flow(request: HttpRequest, payload: FlowInput) -> Any:
    """Finish a sign-in with the address that the browser came to."""
    row = sign_ins.complete(_flow(payload.flowId), payload.input)
    if row.status != PendingLogin.Status.DONE:
        raise Refused(409, "sign_in_failed", row.fault or "The sign-in is not finished.")
    return {"ok": True, "account": _told_account(row)}


@below_admin.get("/oauth/status/{flow_id}", auth=GOES_ON, response=answers(Json), tags=SEED)
def flow_status(request: HttpRequest, flow_id: str) -> Any:
    """Say how far a sign-in is."""
    row = _flow(flow_id)
    flow = {
        "id": str(row.pk),
        "email": row.email,
        "method": row.method,
        "status": OLD_STATES[row.status],
        "createdAt": int(row.begun_at.timestamp() * 1000),
        "targetAccountId": row.replaces.account_id if row.replaces else None,
        "error": row.fault or None,
        "completedAt": int(row.ended_at.timestamp() * 1000) if row.ended_at else None,
        "accountId": row.credential.account_id if row.credential else None,
    }
    return {"ok": True, "flow": flow}


@below_admin.post("/oauth/device/poll", auth=GOES_ON, response=answers(Json), tags=SEED)
def poll_flow(request: HttpRequest, payload: FlowNamed) -> Any:
    """Ask whether the code was typed; 410 once its time is over."""
    row = sign_ins.poll(_flow(payload.flowId))
    if row.status == PendingLogin.Status.FAILED:
        if row.fault == EXPIRED:
            raise Refused(410, "sign_in_expired", row.fault)
        raise Refused(409, "sign_in_failed", row.fault)
    if row.status == PendingLogin.Status.DONE:
        return {"ok": True, "status": "success", "account": _told_account(row)}
    return {"ok": True, "status": "pending", "intervalSeconds": row.interval}


def _browser(request: HttpRequest, name: str, payload: BrowserWish) -> Json:
    again = _account(name, payload.accountId)
    row = sign_ins.begin(request, sign_ins.entry_of(name), "browser", again)
    return {"authorizeUrl": sign_ins.told(row)["url"], "redirectUri": row.redirect_uri, "flowId": str(row.pk)}


def _device(request: HttpRequest, name: str, payload: DeviceWish) -> Json:
    row = sign_ins.begin(request, sign_ins.entry_of(name), "device", _account(name, payload.accountId))
    told = sign_ins.told(row)
    shown = {"verificationUrl": told["url"], "userCode": told["user_code"]}
    return {**shown, "deviceAuthId": str(row.pk), "intervalMs": row.interval * 1000}


def _polled(payload: DevicePoll) -> Json:
    row = sign_ins.poll(_flow(payload.deviceAuthId))
    found: Json = {"state": STATES[row.status]}
    if row.status == PendingLogin.Status.FAILED:
        found["reason"] = row.fault
    if row.status == PendingLogin.Status.DONE:
        found["account"] = _told_account(row)
    return found


def _flow(said: str) -> PendingLogin:
    try:
        return sign_ins.mine(UUID(said))
    except ValueError:
        raise not_found("sign-in") from None


def _account(name: str, account_id: str | None) -> Credential | None:
    """Return the account to sign in to again, by its name at the provider."""
    if not account_id:
        return None
    provider_id = sign_ins.entry_of(name).provider_id
    row = Credential.objects.filter(account_id=account_id).order_by("created_at").first()
    if row is None:
        raise not_found("account")
    if row.provider_id != provider_id or row.kind != Credential.Kind.OAUTH_BEARER:
        raise Refused(400, "invalid_account", "This account is not one that somebody signs in to there.")
    return row


def _told_account(row: PendingLogin) -> Json:
    credential = row.credential
    if credential is None:
        raise not_found("account")
    return {
        "id": credential.account_id,
        "provider": credential.provider_id,
        "email": who(row),
        "chatgptAccountId": credential.chatgpt_account_id or None,
        "enabled": credential.enabled,
        "priority": credential.priority,
    }
