"""What every server does with good requests and with applications that do not keep their word."""

import json

import pytest

from tests.server.conftest import KEY, eventually, everything, parsed, until

pytestmark = pytest.mark.slow


def test_a_request_reaches_the_application_as_it_was_sent(server):
    answer = server.ask(
        b"POST /v1/a%20b?x=1&y=%20 HTTP/1.1\r\nHost: x\r\nX-Some: Thing \r\nX_Under: dropped\r\n"
        b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
    )
    status, headers, body = parsed(answer)
    facts = json.loads(body)
    assert status == 200
    assert headers["date"].endswith("GMT")
    assert (facts["method"], facts["path"], facts["query"], facts["size"]) == ("POST", "/v1/a b", "x=1&y=%20", 5)
    assert facts["raw_path"] == "/v1/a%20b"
    assert ["x-some", "Thing"] in facts["headers"]
    assert "x_under" not in dict(facts["headers"])
    assert facts["client"][0] == "127.0.0.1"


def test_one_connection_serves_many_requests(server):
    with server.connect() as sock:
        for number in range(5):
            sock.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % number)
            assert until(sock, b"\r\n\r\n%d" % number).startswith(b"HTTP/1.1 200")


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as sock:
        for number in range(20):
            sock.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n#%02d" % number)
        data = until(sock, b"#19")
    assert [data.index(b"#%02d" % number) for number in range(20)] == sorted(
        data.index(b"#%02d" % number) for number in range(20)
    )


def test_a_request_may_come_byte_by_byte(server):
    with server.connect() as sock:
        for byte in b"POST /mirror HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert until(sock, b"hello")


def test_a_large_body_arrives_whole(server):
    body = bytes(range(256)) * 20_000
    request = b"POST /mirror HTTP/1.1\r\nHost: x\r\nx-api-key: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    assert parsed(server.ask(request % (KEY.encode(), len(body)) + body))[2] == body


def test_a_chunked_body_of_many_sizes_arrives_whole(server):
    pieces = [b"x" * size for size in (1, 10, 4096, 65536, 65537, 3)]
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    request = (
        b"POST /mirror HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n%b0\r\nX-Trailer: no\r\n\r\n"
    )
    assert parsed(server.ask(request % (KEY.encode(), chunks)))[2] == b"".join(pieces)


def test_whoever_expects_it_is_told_to_continue(server):
    with server.connect() as sock:
        sock.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        sock.sendall(b"ok")
        assert until(sock, b"ok").startswith(b"HTTP/1.1 200")


def test_a_stream_leaves_piece_by_piece(server):
    with server.connect() as sock:
        sock.sendall(b"GET /stream?count=2&pause=0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
        first = until(sock, b"data: 0\n\n")
        assert b"data: 1" not in first
        assert b"chunked" in first.lower()
        assert until(sock, b"0\r\n\r\n")


def test_http_1_0_gets_a_stream_ended_by_the_connection(strict):
    answer = strict.ask(b"GET /stream?count=2 HTTP/1.0\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"data: 0\n\ndata: 1\n\n")
    assert b"chunked" not in answer.lower()


def test_head_is_answered_without_a_body(server):
    answer = server.ask(b"HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(server, status):
    with server.connect() as sock:
        sock.sendall(b"GET /empty?status=%d HTTP/1.1\r\nHost: x\r\n\r\n" % status)
        assert until(sock, b"\r\n\r\n").endswith(b"\r\n\r\n")
        sock.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
        assert until(sock, b"}").startswith(b"HTTP/1.1 200")


def test_an_absolute_target_and_an_asterisk_are_understood(fast):
    _, _, body = parsed(fast.ask(b"GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    assert json.loads(body)["path"] == "/a"
    assert parsed(fast.ask(b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))[0] == 200


def test_an_upgrade_to_http_2_is_ignored_and_the_body_read(strict):
    """Java's client offers h2c on every first request, POST included."""
    request = (
        b"POST /mirror HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAAB\r\nContent-Length: 5\r\n\r\n"
    )
    with strict.connect() as sock:
        sock.sendall(request + b"hello")
        assert until(sock, b"hello").startswith(b"HTTP/1.1 200")


def test_a_crash_is_answered_with_500_and_an_envelope(strict):
    status, _, body = strict.get("/crash")
    assert status == 500
    assert json.loads(body)["error"]["code"] == "internal_error"


def test_an_application_that_says_nothing_is_a_500(strict):
    assert strict.get("/silent")[0] == 500


def test_half_an_answer_is_never_taken_for_a_whole_one(server):
    answer = server.ask(b"GET /crash?begin=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"begun" in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_an_answer_shorter_than_its_length_ends_the_connection(fast):
    assert fast.get("/short")[0] == 500
    answer = fast.ask(b"GET /short?begin=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert parsed(answer)[2] == b"four"


def test_an_answer_without_length_is_given_one(fast):
    _, headers, body = fast.get("/unstated")
    assert (headers["content-length"], body) == ("5", b"hello")


def test_no_header_of_an_answer_can_smuggle_another(fast):
    status, headers, _ = fast.get("/split-header")
    assert status == 500
    assert "set-cookie" not in headers


def test_the_application_hears_of_a_departure_within_a_second(server):
    before = server.facts()["seen"]["left"]
    for path in (b"/wait", b"/wait?begin=1"):
        with server.connect() as sock:
            sock.sendall(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" % path)
            if b"begin" in path:
                until(sock, b"begun")
    eventually(lambda: server.facts()["seen"]["left"] == before + 2, 2)


def test_an_application_that_does_not_listen_is_cancelled_when_its_client_leaves(strict):
    before = strict.facts()["seen"]["cancelled"]
    with strict.connect() as sock:
        sock.sendall(b"GET /stubborn?begin=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        until(sock, b"begun")
    eventually(lambda: strict.facts()["seen"]["cancelled"] == before + 1, 2)


def test_a_connection_that_said_close_is_closed(server):
    with server.connect() as sock:
        sock.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert everything(sock).startswith(b"HTTP/1.1 200")
