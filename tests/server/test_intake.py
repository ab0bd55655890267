"""From bytes to requests at every split, and the counting of bodies, without sockets."""

import dataclasses

import pytest

from proxx.server import bodies, intake, refusals
from proxx.server.bodies import Body, Chunks, Room
from proxx.server.intake import Intake
from proxx.server.limits import Limits
from proxx.server.refusals import Refused
from tests.server.conftest import KEY

LIMITS = Limits(
    head=1000,
    head_count=20,
    head_timeout=1,
    body=100_000,
    body_without_key=100,
    bodies_in_flight=150_000,
    body_timeout=1,
    write_buffer=1000,
    reader_timeout=1,
    keep_alive=1,
    connections=10,
    connections_per_address=0,
)
SEVERAL = (
    b"\r\nPOST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n\r\n"
    b"POST /three HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n"
    b"GET /four HTTP/1.1\r\nHost: x\r\n\r\n"
)
READ = [(b"/one", b"hello"), (b"/two", b""), (b"/three", b"abcde"), (b"/four", b"")]


def read_all(pieces, limits=LIMITS):
    """Feed pieces; take every request as soon as it is whole."""
    room = Room(limits.bodies_in_flight)
    taking = Intake(limits, room)
    found = []
    for piece in pieces:
        request = taking.feed(memoryview(piece))
        while request is not None:
            found.append((request.head.path, request.body))
            room.give_back(len(request.body))
            request = taking.next()
    assert room.taken == 0
    return found


@pytest.mark.parametrize("at", range(1, len(SEVERAL)))
def test_requests_are_the_same_wherever_the_bytes_are_split(at):
    assert read_all([SEVERAL[:at], SEVERAL[at:]]) == READ


def test_requests_are_the_same_byte_by_byte_and_at_once():
    assert read_all([bytes([byte]) for byte in SEVERAL]) == READ
    assert read_all([SEVERAL]) == READ


def test_a_head_without_end_is_refused_at_the_limit():
    taking = Intake(LIMITS, Room(1000))
    for _ in range(1000):
        assert taking.feed(memoryview(b"A")) is None
    with pytest.raises(Refused) as caught:
        taking.feed(memoryview(b"A"))
    assert caught.value.refusal == refusals.HEAD_TOO_LARGE


def request_of(size, *headers):
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST / HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (lines, size) + b"x" * size


def refused(data, limits=LIMITS):
    with pytest.raises(Refused) as caught:
        read_all([data], limits)
    return caught.value.refusal


CARRIERS = [
    b"Authorization: Bearer %b",
    b"authorization: bearer %b",
    b"x-api-key: %b",
    b"x-goog-api-key: %b",
    b"api-key: %b ",
]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_well_formed_key_in_any_carrier_allows_a_large_body(carrier):
    assert read_all([request_of(5000, carrier % KEY.encode())])
    assert refused(request_of(5000, carrier % b"sk-something-else")) == refusals.BODY_NEEDS_KEY
    assert refused(request_of(100_001, carrier % KEY.encode())) == refusals.BODY_TOO_LARGE


def test_basic_credentials_are_no_key():
    assert refused(request_of(5000, b"Authorization: Basic " + KEY.encode())) == refusals.BODY_NEEDS_KEY


def test_an_operators_session_allows_a_large_form(settings):
    settings.SESSION_COOKIE_NAME = "proxx_session"
    assert read_all([request_of(5000, b"Cookie: a=b; proxx_session=" + b"0a" * 16)])
    assert refused(request_of(5000, b"Cookie: proxx_session=short")) == refusals.BODY_NEEDS_KEY
    assert refused(request_of(5000, b"Cookie: not_proxx_session=" + b"0a" * 16)) == refusals.BODY_NEEDS_KEY


def test_a_key_in_the_query_counts_only_where_it_is_allowed(settings):
    settings.PROXY_QUERY_KEYS = False
    assert bodies.limit_for([], b"key=" + KEY.encode(), LIMITS) == 100
    settings.PROXY_QUERY_KEYS = True
    assert bodies.limit_for([], b"a=b&key=" + KEY.encode(), LIMITS) == 100_000


def test_where_nobody_needs_a_key_everybody_may_send_a_large_body(settings):
    settings.PROXY_ALLOW_UNAUTHENTICATED = True
    limits = Limits.from_settings()
    assert limits.body_without_key == limits.body


def test_a_chunked_body_is_counted_before_it_is_stored():
    room = Room(10**9)
    body = Body(10, room)
    with pytest.raises(Refused):
        Chunks().feed(b"b\r\nhello world\r\n", body)
    assert (body.size, room.taken) == (0, 0)


def test_a_body_gives_its_room_back_when_it_is_dropped():
    room = Room(100)
    taking = Intake(dataclasses.replace(LIMITS, body_without_key=1000), room)
    assert taking.feed(memoryview(request_of(90)[:-10])) is None
    assert room.taken == 80
    taking.drop()
    assert room.taken == 0


def test_a_body_that_finds_no_room_is_refused_with_503():
    full = dataclasses.replace(LIMITS, bodies_in_flight=50)
    assert refused(request_of(90), full) == refusals.NO_ROOM
    assert refused(request_of(5000, b"api-key: " + KEY.encode()), full) == refusals.NO_ROOM


def test_thousands_of_tiny_chunks_are_refused():
    body = Body(10**6, Room(10**6))
    with pytest.raises(Refused) as caught:
        Chunks().feed(b"1\r\nx\r\n" * 5000, body)
    assert caught.value.refusal == refusals.BAD_CHUNK
    assert Chunks().feed(b"10\r\n0123456789abcdef\r\n" * 5000 + b"0\r\n\r\n", Body(10**6, Room(10**6))) == b""


@pytest.mark.parametrize(
    "bad",
    [
        b"\r\n",
        b"1\n",
        b"1 2\r\n",
        b"0x1\r\n",
        b"1\r\nab",
        b"0\r\nbad trailer\r\n",
        b";\r\n",
        b"1" * 300,
        b"0\r\n" + b"t" * 9000,
    ],
)
def test_bad_framing_is_refused(bad):
    with pytest.raises(Refused) as caught:
        Chunks().feed(bad + b"\r\n\r\n", Body(1000, Room(1000)))
    assert caught.value.refusal == refusals.BAD_CHUNK


def test_continue_is_owed_only_while_the_body_is_missing():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    taking = Intake(LIMITS, Room(1000))
    assert taking.feed(memoryview(head)) is None
    assert taking.owes_continue
    assert taking.stage == intake.BODY
    taking = Intake(LIMITS, Room(1000))
    assert taking.feed(memoryview(head + b"a")) is None
    assert not taking.owes_continue
