"""The grammar of request heads, without sockets."""

import time

import pytest

from proxx.server import heads, refusals
from proxx.server.refusals import Refused


def read(*lines, first=b"GET / HTTP/1.1", host=b"Host: x"):
    return heads.read(b"\r\n".join([first, *([host] if host else []), *lines, b"", b""]), 200)


def test_a_head_is_taken_apart():
    head = read(b"X-A:  b c\t", b"Content-Length: 12", b"Accept: text/html,*/*", first=b"POST /a%20b?c=d?e HTTP/1.1")
    assert (head.method, head.path, head.query, head.version) == ("POST", b"/a%20b", b"c=d?e", "1.1")
    assert (b"x-a", b"b c") in head.headers
    assert (head.length, head.keep_alive, head.browser) == (12, True, True)
    assert heads.scope_path(head.path) == "/a b"


def test_a_chunked_body_has_no_length():
    assert read(b"Transfer-Encoding: Chunked").length is None


def test_names_with_an_underscore_are_dropped():
    assert [name for name, _ in read(b"X_Forwarded_For: 1.2.3.4", b"A: b").headers] == [b"host", b"a"]


def test_the_old_names_of_a_conversation_are_read_as_their_twins():
    assert read(b"Session_Id: one", b"conversation_id: two", b"x_session_id: three").headers[1:] == [
        (b"session-id", b"one"),
        (b"conversation-id", b"two"),
    ]


@pytest.mark.parametrize(
    ("first", "lines", "keeps"),
    [
        (b"GET / HTTP/1.1", [], True),
        (b"GET / HTTP/1.1", [b"Connection: keep-alive, Close"], False),
        (b"GET / HTTP/1.0", [], False),
        (b"GET / HTTP/1.0", [b"Connection: keep-alive"], False),
    ],
)
def test_a_connection_is_kept_only_when_both_want_it(first, lines, keeps):
    assert read(*lines, first=first).keep_alive is keeps


def test_only_a_websocket_upgrade_counts():
    assert read(b"Connection: Upgrade", b"Upgrade: WebSocket").websocket
    assert not read(b"Connection: Upgrade", b"Upgrade: h2c").websocket
    assert not read(b"Upgrade: websocket").websocket
    assert not read(b"Connection: Upgrade", b"Upgrade: websocket", first=b"POST / HTTP/1.1").websocket


@pytest.mark.parametrize(
    ("first", "path", "query"),
    [
        (b"GET http://a.b:1/c?d HTTP/1.1", b"/c", b"d"),
        (b"GET HTTPS://a.b HTTP/1.1", b"/", b""),
        (b"GET http://a.b?c HTTP/1.1", b"/", b"c"),
        (b"GET //a/b HTTP/1.1", b"//a/b", b""),
        (b"OPTIONS * HTTP/1.1", b"*", b""),
    ],
)
def test_a_target_may_have_several_forms(first, path, query):
    head = read(first=first)
    assert (head.path, head.query) == (path, query)


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: -1",
        b"Content-Length: 1_0",
        b"Content-Length: 0x1",
        b"Content-Length:",
        b"Content-Length: 1\r\nContent-Length: 1",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding:",
        b" folded",
        b"no colon",
        b": no name",
        b"a b: c",
        b"a: b\x7f\x00",
        b"a: b\x01",
        b"Host: y",
    ],
)
def test_a_line_that_could_mislead_is_refused(line):
    with pytest.raises(Refused) as caught:
        read(line)
    assert caught.value.refusal.status == 400


@pytest.mark.parametrize(
    "first",
    [
        b"GET",
        b"GET /",
        b"get / HTTP/1.1",
        b"GET / HTTP/1.2",
        b"GET / HTTP/2.0",
        b"GET /\xff HTTP/1.1",
        b"GET a HTTP/1.1",
    ],
)
def test_a_first_line_that_is_none_is_refused(first):
    with pytest.raises(Refused):
        read(first=first)


def test_http_1_1_needs_a_host_and_1_0_does_not():
    with pytest.raises(Refused):
        read(host=None)
    assert read(host=None, first=b"GET / HTTP/1.0").version == "1.0"


def test_more_headers_than_allowed_are_refused_with_431():
    with pytest.raises(Refused) as caught:
        read(*[b"a: b"] * 200)
    assert caught.value.refusal.status == 431


@pytest.mark.parametrize(
    "bad", [b"a: b\r\n" * 9000 + b"\x00", b"a" * 60_000, b"a:" + b" " * 60_000 + b"\x00", b":" * 60_000]
)
def test_a_hostile_head_is_refused_in_linear_time(bad):
    began = time.perf_counter()
    with pytest.raises(Refused):
        read(bad)
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize("partial", [b"\x16\x03", b"get /", b"GET / HTTP/1.1\nHost", b"G\n", b"GET / HTTP/1.1\r\na\n"])
def test_nobody_waits_for_the_end_of_a_head_that_is_already_wrong(partial):
    assert heads.surely_bad(partial)


def test_a_good_head_is_never_surely_bad_on_its_way():
    raw = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    assert not any(heads.surely_bad(raw[:end]) for end in range(1, len(raw) + 1))


@pytest.mark.parametrize("length", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_an_upgrade_has_no_body(length):
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n%b\r\n\r\n"
    with pytest.raises(Refused) as refused:
        heads.read(head % length, 20)
    assert refused.value.refusal is refusals.UPGRADE_WITH_BODY
    assert heads.read(head % b"Content-Length: 0", 20).websocket
