"""The HTTP request by which one candidate is asked: address, headers, credential, patience."""

from proxx.gateway import mending
from proxx.gateway.asking import ALWAYS_REWRITTEN, FEATURES, Route
from proxx.gateway.call import Call
from proxx.kit import traceparent
from proxx.kit.configured import settings
from proxx.protocols.profile.options import Options
from proxx.upstream import auth, client, codex
from proxx.upstream.message import HeaderList, Timeouts, UpstreamRequest
from routing import workspaces
from routing.planner import Candidate

_STANDARD_HEADERS = {
    b"content-type": b"application/json",
    b"accept": b"application/json, text/event-stream",
    b"accept-encoding": b"identity",
    b"user-agent": b"proxx",
}


def request(call: Call, candidate: Candidate, chosen: Route) -> UpstreamRequest:
    """Return the request that asks this candidate."""
    credential, provider = candidate.credential, candidate.provider
    headers = list(_STANDARD_HEADERS.items())
    if provider.headers or chosen.headers or chosen.upstream.headers:
        own = {name.lower().encode(): value.encode() for name, value in provider.headers}
        headers = list({**_STANDARD_HEADERS, **dict(chosen.upstream.headers), **own, **_of_call(chosen, own)}.items())
    if ALWAYS_REWRITTEN in candidate.quirks:
        headers = codex.asking(
            headers,
            list(call.backend_headers),
            user_agent=call.user_agent,
            session=call.session,
            is_first=len(call.attempts) <= 1,
        )
    if call.options is not None:
        headers = _as_wished(headers, call.options)
    headers = mending.headers(call, chosen, headers)
    if credential is not None:
        headers.extend(auth.headers(candidate.auth, credential.secret.reveal()))
        if credential.chatgpt_account_id and ALWAYS_REWRITTEN in candidate.quirks:
            headers.extend(auth.workspace(workspaces.named(candidate)))
    form = "" if chosen.translates else call.envelope.form  # what is written is always the dialect's usual form
    if settings.PROXY_TRACE_UPSTREAM:
        headers.append((traceparent.HEADER, traceparent.write(call.id, len(call.attempts), call.traceparent)))
    return UpstreamRequest(
        method="POST",
        url=client.url(chosen.upstream.url(candidate.url, stream=call.envelope.stream, form=form)),
        headers=headers,
        body=chosen.body,
        timeouts=Timeouts(
            connect=settings.UPSTREAM_CONNECT_TIMEOUT,
            headers=settings.UPSTREAM_REQUEST_TIMEOUT,
            idle=settings.UPSTREAM_IDLE_TIMEOUT,
        ),
    )


def _of_call(chosen: Route, own: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The call's own headers count more than the provider entry's; of features to switch on, both are meant."""
    said = dict(chosen.headers)
    features = (own.get(FEATURES), said.get(FEATURES))
    if all(features):
        words = [word.strip() for words in features if words for word in words.split(b",")]
        said[FEATURES] = b",".join(dict.fromkeys(word for word in words if word))
    return said


def _as_wished(headers: HeaderList, options: Options) -> HeaderList:
    """Return the headers less the profile's blocked ones, and with its own."""
    said = {name: value for name, value in headers if name not in options.blocked}
    return list({**said, **dict(options.headers)}.items())
