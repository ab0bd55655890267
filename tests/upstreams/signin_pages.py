"""The pages of the simulated issuer: where people agree or refuse, and where they type a code. Of both kinds of issuer:
OpenAI's shape below /oauth and /api/accounts, that of RFC 8628 (WorkOS) below /user_management.

    with IssuerWithPages() as issuer:
        issuer.interval = 1                   # seconds that a device code's client must wait
        issuer.slower = 1                     # say so often that this is not enough, whatever it is
        issuer.thinks = True                  # answer no question about codes until it is False
        ...                                   # a browser agrees as somebody at issuer.origin
        assert issuer.polls == 2 and issuer.too_fast == 0

It imports nothing of proxx, and shows people nothing that a test did not ask for.
"""

import asyncio
import html
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.upstreams.signin import Asked, Issuer, Told

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REMEMBERED = ("client_id", "redirect_uri", "state", "code_challenge")


@dataclass
class Device:
    """One device code: who typed its user code, or that they refused, and when it was last asked about."""

    user_code: str
    ends: float
    interval: float
    person: dict[str, Any] | None = None
    refused: bool = False
    spent: bool = False
    asked_at: float = 0.0
    challenge: str = field(default_factory=lambda: secrets.token_urlsafe(8))


class IssuerWithPages(Issuer):
    """An issuer with pages. `interval` and `lasts` are of device codes, in seconds; `redirects` may be come back to
    (all, if none is named); `workspace` is whose members its people are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.interval, self.lasts = 1.0, 900.0
        self.redirects: tuple[str, ...] = ()
        self.workspace = "ws-1"
        self.devices: dict[str, Device] = {}
        self.polls = self.too_fast = self.slower = 0
        self.thinks = False
        self.authorized: list[dict[str, str]] = []  # queries of those who came to sign in
        self.routes |= {
            ("GET", "/oauth/authorize"): self._authorize,
            ("GET", "/user_management/authorize"): self._authorize,
            ("POST", "/consent"): self._consent,
            ("POST", "/api/accounts/deviceauth/usercode"): self._device_openai,
            ("POST", "/api/accounts/deviceauth/token"): self._poll_openai,
            ("GET", "/codex/device"): self._device_page,
            ("POST", "/codex/device"): self._type_code,
            ("POST", "/user_management/authorize/device"): self._device_workos,
            ("POST", "/user_management/authenticate"): self._authenticate,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a proxx that signs in here."""
        return {
            "OPENAI_OAUTH_ISSUER": self.origin,
            "OPENAI_OAUTH_CLIENT_ID": self.client_id,
            "FACTORY_OAUTH_ISSUER": self.origin,
            "FACTORY_OAUTH_CLIENT_ID": self.client_id,
        }

    def approve(self, user_code: str, **person: Any) -> None:
        """Type a code, and agree."""
        self._device_of(user_code).person = {"workspace": self.workspace, **person}

    # A browser.

    async def _authorize(self, asked: Asked) -> Told:
        said = asked.fields
        faults = [
            said.get("response_type") != "code" and "response_type",
            said.get("client_id") != self.client_id and "client_id",
            said.get("code_challenge_method") != "S256" and "code_challenge_method",
            len(said.get("code_challenge", "")) != 43 and "code_challenge",
            len(said.get("state", "")) < 16 and "state",
            bool(self.redirects) and said.get("redirect_uri") not in self.redirects and "redirect_uri",
        ]
        if wrong := [fault for fault in faults if fault]:
            return page(f"<h1>This request is wrong: {', '.join(wrong)}</h1>", status=400)
        self.authorized.append(said)
        kept = "".join(_hidden(name, said.get(name, "")) for name in REMEMBERED)
        return page(
            f'<h1>Simulated sign-in</h1><form method="post" action="/consent">{kept}'
            f'<input name="email" value="{html.escape(said.get("login_hint", ""))}">'
            '<button name="answer" value="agree">Agree</button><button name="answer" value="deny">Deny</button></form>'
        )

    async def _consent(self, asked: Asked) -> Told:
        said = asked.fields
        if said.get("answer") == "deny":
            back = {"error": "access_denied", "error_description": "The <b>user</b> said no"}
        else:
            person = {"email": said["email"], "subject": f"sub-{said['email']}", "workspace": self.workspace}
            challenge, there = said["code_challenge"], said["redirect_uri"]
            # WorkOS does not ask for the redirect URI again.
            there = "" if "factory" in there else there
            back = {"code": self.code_for(challenge=challenge, redirect_uri=there, **person)}
        return Told(302, b"", {"location": f"{said['redirect_uri']}?{urlencode({**back, 'state': said['state']})}"})

    # Device codes.

    async def _device_page(self, asked: Asked) -> Told:
        code = html.escape(asked.fields.get("user_code", ""))
        return page(
            '<h1>Type the code</h1><form method="post" action="/codex/device">'
            f'<input name="user_code" value="{code}"><input name="email">'
            '<button name="answer" value="agree">Agree</button><button name="answer" value="deny">Deny</button></form>'
        )

    async def _type_code(self, asked: Asked) -> Told:
        said = asked.fields
        try:
            device = self._device_of(said.get("user_code", ""))
        except StopIteration:
            return page("<h1>Nobody knows this code</h1>", status=400)
        device.refused = said.get("answer") == "deny"
        if not device.refused:
            email = said["email"]
            self.approve(device.user_code, email=email, subject=f"sub-{email}")
        return page("<h1>Go back to where you came from</h1>")

    async def _device_openai(self, asked: Asked) -> Told:
        if asked.fields.get("client_id") != self.client_id:
            return self._no(401, "invalid_client", "Who are you?")
        id, device = self._new_device()
        return Told(200, {"device_auth_id": id, "user_code": device.user_code, "interval": str(int(self.interval))})

    async def _poll_openai(self, asked: Asked) -> Told:
        device = self.devices.get(asked.fields.get("device_auth_id", ""))
        if device is None or device.user_code != asked.fields.get("user_code"):
            return self._no(404, "deviceauth_authorization_unknown", "Not yet.")
        return await self._thought_over(self._told_openai(device))

    def _told_openai(self, device: Device) -> Told:
        self._polled(device)
        if self._wants_it_slower():
            return self._no(403, "slow_down", "Not so fast.")
        if device.refused:
            return self._no(403, "access_denied", "They said no.")
        if time.time() > device.ends:
            return self._no(400, "expired_token", "Too late.")
        if device.person is None:
            return self._no(403, "deviceauth_authorization_pending", "Not yet.")
        if device.spent:
            return self._no(400, "expired_token", "This code was used.")
        device.spent, verifier = True, secrets.token_urlsafe(32)
        code = self.code_for(redirect_uri=f"{self.origin}/deviceauth/callback", **device.person)
        return Told(200, {"authorization_code": code, "code_verifier": verifier})

    async def _device_workos(self, asked: Asked) -> Told:
        if asked.fields.get("client_id") != self.client_id:
            return Told(401, {"error": "invalid_client"})
        id, device = self._new_device()
        where = f"{self.origin}/codex/device"
        return Told(200, {
            "device_code": id, "user_code": device.user_code, "verification_uri": where,
            "verification_uri_complete": f"{where}?user_code={device.user_code}",
            "expires_in": int(self.lasts), "interval": int(self.interval),
        })  # fmt: skip

    async def _authenticate(self, asked: Asked) -> Told:
        if asked.fields.get("grant_type") != GRANT:
            return self._with_user(await self._token(asked))
        device = self.devices.get(asked.fields.get("device_code", ""))
        if device is None:
            return Told(400, {"error": "invalid_grant"})
        return await self._thought_over(self._told_workos(device))

    def _told_workos(self, device: Device) -> Told:
        if self._polled(device) or self._wants_it_slower():
            return Told(400, {"error": "slow_down"})
        if device.refused:
            return Told(400, {"error": "access_denied"})
        if time.time() > device.ends:
            return Told(400, {"error": "expired_token"})
        if device.person is None:
            return Told(400, {"error": "authorization_pending"})
        if device.spent:
            return Told(400, {"error": "invalid_grant"})
        device.spent = True
        return self._with_user(self._told(self.grant(**device.person)))

    def _with_user(self, told: Told) -> Told:
        if told.status == 200 and isinstance(told.body, dict):
            family = self._by_refresh[told.body["refresh_token"]]
            user = {"id": family.person["subject"], "email": family.person["email"]}
            told.body = {**told.body, "user": user, "organization_id": "org-1"}
            told.body.pop("id_token", None)
        return told

    def _new_device(self) -> tuple[str, Device]:
        letters = "BCDFGHJKLMNPQRSTVWXZ"
        user_code = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(2))
        id = f"device-{secrets.token_urlsafe(16)}"
        self.devices[id] = Device(user_code, time.time() + self.lasts, self.interval)
        return id, self.devices[id]

    def _polled(self, device: Device) -> bool:
        """Count a question; tell whether it came too early."""
        self.polls += 1
        too_fast = time.time() - device.asked_at < device.interval * 0.9
        device.asked_at = time.time()
        self.too_fast += too_fast
        return too_fast

    def _wants_it_slower(self) -> bool:
        wants = self.slower > 0
        self.slower -= wants
        return wants

    async def _thought_over(self, told: Told) -> Told:
        while self.thinks:  # noqa: ASYNC110 - tests say so from another thread
            await asyncio.sleep(0.01)
        return told

    def _device_of(self, user_code: str) -> Device:
        return next(one for one in self.devices.values() if one.user_code == user_code)


def page(body: str, *, status: int = 200) -> Told:
    """Return a page of a few words."""
    style = (
        "<style>body{font:16px sans-serif;max-width:30rem;margin:4rem auto}input{display:block;margin:1rem 0}</style>"
    )
    whole = f"<!doctype html><title>Simulated issuer</title><link rel=icon href=data:,>{style}{body}"
    return Told(status, whole.encode(), {"content-type": "text/html; charset=utf-8"})


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
