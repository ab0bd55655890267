"""A simulated issuer of sign-in tokens: rotates refresh tokens, and revokes a whole family when one is used twice.

    with Issuer(lives=3600) as issuer:
        grant = issuer.grant(email="kim@example.com", workspace="ws-1")     # .access, .refresh, .id_token
        ...                                              # something renews at issuer.token_url
        assert issuer.reused == 0 and issuer.renewals == 1

One port, a thread and an event loop of its own. It knows codes (`code_for`), PKCE, clients and faults (`will`); pages
and device codes are signin_pages.py's, which adds routes. It imports nothing of proxx. What it saw is in `log`.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

AUTH, PROFILE = "https://api.openai.com/auth", "https://api.openai.com/profile"


@dataclass
class Asked:
    """One request: `fields` is its body, or the query of a GET."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    fields: dict[str, str]


@dataclass
class Told:
    """One answer. A `body` that is no bytes is written as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Family:
    """A sign-in: all tokens that came from it. `current` is the one refresh token that is good; `version` counts."""

    number: int
    person: dict[str, Any]
    current: str = ""
    version: int = 0
    revoked: bool = False
    spent: set[str] = field(default_factory=set)


@dataclass
class Grant:
    """Tokens as an issuer gives them."""

    access: str
    refresh: str
    id_token: str
    family: Family


Route = Callable[[Asked], Awaitable[Told]]


class Issuer:
    """An issuer on a port of its own. `lives`: seconds of an access token; `delay`: before it answers a renewal."""

    client_id = "client-sim"
    client_secret = ""

    def __init__(self, *, lives: float = 3600.0, delay: Callable[[], float] = lambda: 0.0) -> None:
        self.lives, self.delay = lives, delay
        self.families: dict[int, Family] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.accesses: dict[str, tuple[Family, float]] = {}  # access token -> family, end
        self.reused = self.renewals = self.exchanges = self.refused = 0
        self.waiting = 0  # renewals that have arrived and are not answered yet
        self.log: list[tuple[float, str, int, int]] = []  # when, what (arrived, answered, reused), family, version
        self.will: deque[Told | str] = deque()  # what it shall say next to renewals: an answer, "close" or "hang"
        self.routes: dict[tuple[str, str], Route] = {("POST", "/oauth/token"): self._token}
        self.seen: deque[Asked] = deque(maxlen=1000)
        self._by_refresh: dict[str, Family] = {}
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        """Return scheme, host and port: what a setting calls the issuer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        """Return where tokens are asked for."""
        return f"{self.origin}/oauth/token"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # What tests ask of it.

    def grant(self, **person: Any) -> Grant:
        """Sign somebody in: `subject`, `email`, `workspace`, `plan`; return their first tokens."""
        number = next(self._numbers)
        known = {"subject": f"user-{number}", "email": f"user{number}@example.com", "workspace": "", "plan": "plus"}
        family = self.families[number] = Family(number, known | person)
        return self._issue(family)

    def code_for(self, *, challenge: str = "", redirect_uri: str = "", **person: Any) -> str:
        """Return a code for somebody; it is good once, with the verifier of that challenge and that redirect URI."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"challenge": challenge, "redirect_uri": redirect_uri, "person": person}
        return code

    def accepts(self, access: str) -> bool:
        """Tell whether an access token is good now."""
        family, ends = self.accesses.get(access, (None, 0.0))
        return family is not None and not family.revoked and time.time() < ends

    def revoke_access(self, access: str) -> None:
        """Let an access token end before its time; its refresh token stays good."""
        self.accesses.pop(access, None)

    # Its token address.

    async def _token(self, asked: Asked) -> Told:
        fields = asked.fields
        if fields.get("client_id") != self.client_id or fields.get("client_secret", "") != self.client_secret:
            return self._no(401, "invalid_client", "Who are you?")
        if fields.get("grant_type") == "refresh_token":
            return await self._renew(fields.get("refresh_token", ""))
        if fields.get("grant_type") == "authorization_code":
            return self._exchange(fields)
        return self._no(400, "unsupported_grant_type", "That is not done here.")

    def _exchange(self, fields: dict[str, str]) -> Told:
        known = self.codes.pop(fields.get("code", ""), None)
        if known is None or known["redirect_uri"] not in ("", fields.get("redirect_uri")):
            return self._no(400, "invalid_grant", "This code is not good.")
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        if known["challenge"] and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != known["challenge"]:
            return self._no(400, "invalid_grant", "The verifier does not fit.")
        self.exchanges += 1
        return self._told(self.grant(**known["person"]))

    async def _renew(self, refresh: str) -> Told:
        family = self._by_refresh.get(refresh)
        if family is None:
            return self._no(400, "invalid_grant", "Nobody knows this token.")
        version = family.version
        self.log.append((time.time(), "arrived", family.number, version))
        if refresh in family.spent:
            self.reused += 1
            family.revoked = True
            self.log.append((time.time(), "reused", family.number, version))
            return self._no(400, "refresh_token_reused", "Your refresh token has already been used.")
        if family.revoked:
            return self._no(400, "invalid_grant", "This sign-in was revoked.")
        if self.will:
            wished = self.will.popleft()
            if isinstance(wished, Told):
                return wished
            if wished == "hang":
                await asyncio.sleep(3600)
            return Told(0)  # close
        # Spent from here on, answered or not: a second one that comes meanwhile is a reuse.
        family.spent.add(refresh)
        self.waiting += 1
        await asyncio.sleep(self.delay())
        self.waiting -= 1
        self.renewals += 1
        self.log.append((time.time(), "answered", family.number, version))
        return self._told(self._issue(family))

    def _issue(self, family: Family) -> Grant:
        family.version += 1
        family.current = f"rt-{family.number}-{family.version}-{secrets.token_hex(16)}"
        self._by_refresh[family.current] = family
        ends, person = time.time() + self.lives, family.person
        claims: dict[str, Any] = {"sub": person["subject"], "email": person["email"], "exp": int(ends)}
        if person["workspace"]:
            claims[AUTH] = {"chatgpt_account_id": person["workspace"], "chatgpt_plan_type": person["plan"]}
        access = jwt({**claims, "jti": f"{family.number}.{family.version}"})
        self.accesses[access] = (family, ends)
        return Grant(access, family.current, jwt(claims), family)

    def _told(self, grant: Grant) -> Told:
        lasts = self.lives if self.lives != int(self.lives) else int(self.lives)
        said = {"access_token": grant.access, "refresh_token": grant.refresh, "id_token": grant.id_token}
        return Told(200, {**said, "expires_in": lasts, "token_type": "Bearer"})

    def _no(self, status: int, code: str, message: str) -> Told:
        self.refused += 1
        return Told(status, {"error": {"code": code, "message": message, "type": "invalid_request_error"}})

    # Its connections.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                self.seen.append(asked)
                route = self.routes.get((asked.method, asked.path))
                told = Told(404, {"error": "not_found"}) if route is None else await route(asked)
                if told.status == 0:
                    break
                body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
                head = {"content-type": "application/json", **told.headers, "content-length": str(len(body))}
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                writer.write(f"HTTP/1.1 {told.status} Said\r\n{lines}\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def jwt(claims: dict[str, Any]) -> str:
    """Return claims as an unsigned token that looks like a signed one."""
    parts = [{"alg": "none"}, claims]
    told = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return f"{told[0]}.{told[1]}.{secrets.token_urlsafe(16)}"


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    line = await reader.readline()
    if not line:
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    if method == "GET":
        fields = dict(parse_qsl(parts.query))
    elif "json" in headers.get("content-type", ""):
        fields = json.loads(body or b"{}")
    else:
        fields = dict(parse_qsl(body.decode(errors="replace")))
    return Asked(method, parts.path, headers, body, fields)
