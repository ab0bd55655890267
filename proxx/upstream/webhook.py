"""Messages that we send by ourselves to an address that an operator typed: signed, to public addresses, no redirects.

The same rules as for media that clients name (fetch.py, security E1 to E3); origins inside are listed by
PROXY_WEBHOOK_ORIGINS. The signature (C7) is HMAC-SHA256 over "<timestamp>.<body>": a receiver that checks it, and that
the time is near, is not fooled by others or by a repetition. Without a secret nothing is sent.
"""

import asyncio
import hashlib
import hmac

import httpx

from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.kit.sealing import Secret
from proxx.upstream import client, fetch
from proxx.upstream.message import ReplyTooLarge, Timeouts, UpstreamRequest
from proxx.upstream.transport import Transport

SECONDS = 15.0
TIMEOUTS = Timeouts(connect=5.0, headers=10.0, idle=5.0)
TIMESTAMP, SIGNATURE = b"x-proxx-timestamp", b"x-proxx-signature"


class NotDelivered(Exception):
    """It did not arrive; the text is one sentence for the operator."""


def fault(address: str) -> str | None:
    """Say in one sentence why an address cannot be a webhook's; or nothing."""
    try:
        url = client.url(address)
    except ValueError as wrong:
        return str(wrong)
    if url.scheme != "https" and not _is_listed(url):
        return "A webhook's address begins with https://; others are listed in PROXY_WEBHOOK_ORIGINS."
    return None


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return how a body is signed at a moment (unix seconds)."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


async def post(address: str, body: bytes, secret: Secret) -> None:
    """Send a body of JSON; raise `NotDelivered` for anything but a 2xx answer."""
    if not secret:
        raise NotDelivered("The webhook has no secret to sign with.")
    if wrong := fault(address):
        raise NotDelivered(wrong)
    now = int(clock.unix())
    headers = [
        (b"content-type", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"proxx"),
        (TIMESTAMP, str(now).encode()),
        (SIGNATURE, signature(secret.reveal(), now, body).encode()),
    ]
    url = client.url(address)
    listed = _is_listed(url)
    transport = Transport(client.trust, dialler=None if listed else fetch.checking_dialler())
    try:
        async with asyncio.timeout(SECONDS):
            response = await transport.exchange(UpstreamRequest("POST", url, headers, body, TIMEOUTS))
            await response.aclose()
    except fetch.NotFetched:
        raise NotDelivered("The address leads inside; list its origin in PROXY_WEBHOOK_ORIGINS.") from None
    except (httpx.HTTPError, OSError, UnicodeError, ValueError, ReplyTooLarge) as wrong:
        raise NotDelivered(f"The address could not be reached ({type(wrong).__name__}).") from None
    finally:
        await transport.aclose()
    if not 200 <= response.status < 300:
        raise NotDelivered(f"The address answered {response.status}.")


def _is_listed(url: httpx.URL) -> bool:
    listed = (client.url(text) for text in settings.PROXY_WEBHOOK_ORIGINS)
    return any((url.scheme, url.host, url.port) == (one.scheme, one.host, one.port) for one in listed)
