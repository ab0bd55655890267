"""What a log line looks like, and what never stands in one."""

import json
import logging
import sys

import pytest
from django.core.exceptions import DisallowedHost

from proxx.kit import logs

SECRET = "a-secret-of-the-settings"


def line(message: str, *arguments: object, known: tuple[str, ...] = (), **extra: object) -> dict:
    record = logging.makeLogRecord({"name": "test", "levelname": "INFO", "msg": message, "args": arguments, **extra})
    written = logs.JsonLines(lambda: known).format(record)
    assert "\n" not in written
    return json.loads(written)


def test_a_line_is_one_object_with_time_level_logger_and_message():
    written = line("%s of %d", "one", 2)
    assert written["message"] == "one of 2"
    assert written["level"] == "info"
    assert written["logger"] == "test"
    assert written["time"].endswith("Z")


def test_control_characters_cannot_start_another_line():
    record = logging.makeLogRecord({"name": "test", "msg": "a\r\nb\x1b[31m\u2028c"})
    written = logs.JsonLines().format(record)
    assert written.isprintable()
    assert json.loads(written)["message"] == "a\r\nb\x1b[31m\u2028c"


def test_what_outsiders_cause_at_will_is_one_short_warning(rf):
    logger, reached = logging.getLogger("django.security.DisallowedHost"), []
    handler = logging.Handler()
    handler.emit = reached.append
    logger.addHandler(handler)
    try:
        try:
            rf.get("/", headers={"host": "foreign." + "x" * 5000}).get_host()
        except DisallowedHost as refused:
            logger.error(str(refused), exc_info=refused)
    finally:
        logger.removeHandler(handler)
    [record] = reached
    written = json.loads(logs.JsonLines().format(record))
    assert "traceback" not in written
    assert written["level"] == "warning"
    assert len(written["message"]) <= 200
    assert "foreign" in written["message"]


def test_plain_extras_become_fields_and_objects_do_not():
    written = line("x", request=object(), call_id="7", status=502)
    assert written["call_id"] == "7"
    assert written["status"] == 502
    assert "request" not in written


def test_arguments_that_do_not_fit_keep_the_line():
    assert line("%d", "no number")["message"] == "%d"


def test_an_endless_message_is_cut():
    assert len(line("x" * 10**6)["message"]) == logs.LONGEST


@pytest.mark.parametrize(
    "text",
    [
        "key CANARY refused",
        "pxx_CANARYcanary0123456789",
        "sk-proj-CANARYcanary0123456789",
        "Authorization: Bearer CANARY.with-dots_and/slashes=",
        "authorization: CANARYCANARY",
        "{'x-api-key': 'CANARYCANARY'}",
        '{"refresh_token": "CANARYCANARY", "a": 1}',
        '{\\"client_secret\\": \\"CANARYCANARY\\"}',
        "Cookie: CANARY=CANARY",
        "GET /v1beta/models?key=CANARYCANARY&alt=sse",
        "postgres://someone:CANARY@db.example/proxx",
        "token eyJCANARYCANARYCANARY.CANARYCANARY.CANARY",
        "AIzaCANARYCANARYCANARY",
    ],
)
def test_what_looks_like_a_secret_is_masked(text):
    written = line("it said: %s", text, known=("CANARY refused",))
    assert "CANARY" not in json.dumps(written), written
    assert logs.MASK in written["message"]


def test_innocent_text_stays():
    text = "tokens: 12, key pxx_ab of tenant default, model sk-1, https://api.example/v1/models, secret is missing"
    assert line(text)["message"] == text


def test_a_traceback_is_masked_too():
    try:
        raise RuntimeError("Bearer CANARYCANARY")
    except RuntimeError:
        written = line("failed", exc_info=sys.exc_info())
    assert "CANARY" not in json.dumps(written)
    assert "RuntimeError" in written["traceback"]


def test_the_secrets_of_the_settings_are_known(settings):
    settings.PROXY_AUTH_TOKEN = "an odd admin token"
    known = logs.configured_secrets()
    assert settings.SECRET_KEY in known
    assert settings.KEY_PEPPER in known
    assert settings.PROXY_AUTH_TOKEN in known
    assert set(settings.SEALING_KEYS) <= set(known)


def test_text_for_eyes_says_the_same_and_colours_the_level():
    record = logging.makeLogRecord(
        {
            "name": "test",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": "a\x1b[2J token=%s",
            "args": (SECRET,),
        }
    )
    record.tenant = "acme\nforged"
    coloured = logs.TextLines(lambda: (SECRET,), colours=True).format(record)
    plain = logs.TextLines(lambda: (SECRET,), colours=False).format(record)
    assert coloured.startswith("\x1b[33m")
    assert plain.isprintable()
    assert " warning test: a\\x1b[2J token=[secret]" in plain
    assert plain.endswith("tenant=acme\\nforged")


def test_a_traceback_stands_below_its_line():
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.makeLogRecord({"name": "test", "msg": "it", "exc_info": sys.exc_info()})
    first, *below = logs.TextLines(colours=False).format(record).splitlines()
    assert first.endswith("test: it")
    assert below[-1] == "    ValueError: broken"


@pytest.mark.parametrize(
    ("no_color", "term", "wanted"), [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)]
)
def test_colours_are_for_terminals_that_want_them(monkeypatch, no_color, term, wanted):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", type("Terminal", (), {"isatty": lambda self: True})())
    assert logs.wants_colours() is wanted


def test_of_a_signed_token_with_an_endless_head_the_rest_is_hidden_all_the_same():
    assert logs.masked(f"eyJ{'a' * 3000}.eyJzdWIiOiJraW0ifQ.c2lnbmF0dXJl").endswith(f".{logs.MASK}")
