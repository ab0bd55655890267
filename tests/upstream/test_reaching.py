"""Why a provider could not be reached, in words for people."""

import errno
import socket
import ssl

import httpx
import pytest

from proxx.upstream import failures, reaching
from proxx.upstream.message import NoReply


def caused(by: BaseException) -> httpx.ConnectError:
    """Return what the transport raises for a fault of the operating system."""
    fault = httpx.ConnectError(f"{by}")
    fault.__cause__ = by
    return fault


def untrusted() -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    fault.verify_message = "self-signed certificate"
    return fault


@pytest.mark.parametrize(
    ("fault", "way"),
    [
        (caused(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.7', 9)")), "refused"),
        (caused(socket.gaierror(socket.EAI_NONAME, "Name or service not known")), "name"),
        (caused(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")), "names"),
        (caused(OSError(errno.EHOSTUNREACH, "No route to host")), "route"),
        (caused(TimeoutError()), "late"),
        (caused(untrusted()), "certificate"),
        (caused(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")), "tls"),
        (caused(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")), "closed"),
        (caused(reaching.LeadsBack()), "back"),
        (httpx.ConnectTimeout("late"), "late"),
        (httpx.ProxyError("407"), "proxy"),
        (NoReply("closed"), "closed"),
        (httpx.ConnectError("[Errno 5] something else"), "unknown"),
    ],
)
def test_each_way_of_not_being_reached_has_a_word_and_a_sentence(fault: Exception, way: str) -> None:
    failure = failures.from_exception(fault)
    assert failure.way == way
    assert failure.message.endswith((".", "late", "closed", "407"))
    assert not any(raw in failure.message for raw in ("Errno", "[SSL", "10.0.0.7"))


def test_a_certificates_own_fault_is_named() -> None:
    assert "self-signed certificate" in failures.from_exception(caused(untrusted())).message
