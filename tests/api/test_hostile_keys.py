"""What strangers put in the place of a key: only 401, whatever it is, in flat memory (security A2, A3, A8)."""

import secrets
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import guesses, key_memory, keys
from proxx.api import carriers
from proxx.gateway.errors import BadRequest, Unauthorized
from proxx.kit import clock
from tests.accounts.conftest import in_thread
from tests.live import LiveProxx

HOSTILE = [
    "' OR '1'='1", "'; DROP TABLE accounts_apikey; --", "pxx_' UNION SELECT digest FROM accounts_apikey --",
    "pxx_%", "pxx_" + "%" * 43, "pxx_" + "_" * 43, "pxx_" + "a" * 42, "pxx_" + "a" * 44, "PXX_" + "a" * 43,
    "pxx_" + "é" * 43, "pxx_" + "\u0661" * 43, "pxx_" + "a" * 42 + "\x00", "${jndi:ldap://x}", "{{7*7}}", "../../etc",
    "null", "undefined", "None", "true", "0", "[]", "Bearer", "Bearer Bearer x", "\x7f", "a" * 511, "a" * 5000,
    "\xff" * 60,
]  # fmt: skip


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "x-goog-api-key", "api-key"])
def test_hostile_headers_are_401_and_change_nothing(module_proxx: LiveProxx, header):
    before, answers = module_proxx.rows("SELECT COUNT(*) FROM accounts_apikey"), set()
    for said in HOSTILE:
        value = f"Bearer {said}" if header == "authorization" else said
        if any(character in value for character in "\x00\x7f\u0661"):
            continue  # no client can send these; the server's own grammar refuses them (tests/server)
        sent = {"authorization": "", header: value.encode("latin-1", "replace")}
        status, _, raw = module_proxx.request("GET", "/v1/models", None, sent)
        assert status == 401, (said, raw)
        answers.add(raw)
    assert len(answers) == 1, "one answer for all, whatever was sent"
    assert module_proxx.rows("SELECT COUNT(*) FROM accounts_apikey") == before


@given(st.text(st.characters(max_codepoint=255), max_size=600))
def test_any_text_is_no_key_without_a_question_to_the_store(text):
    for name in ("HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_SEC_WEBSOCKET_PROTOCOL"):
        said = f"Bearer {text}" if name == "HTTP_AUTHORIZATION" else text
        try:
            token = carriers.presented({name: said})
        except (Unauthorized, BadRequest):
            continue
        assert token is None or keys.remembered(token) is None or keys.looks_like_key(token)


@pytest.mark.django_db(transaction=True)
async def test_ten_thousand_wrong_keys_are_limited_and_memory_stays_flat():
    """A8: one address is told to wait long before; what many addresses leave behind has a bound."""
    keys.forget()
    with clock.stopped():
        refused = asked = 0
        tracemalloc.start()
        first = tracemalloc.get_traced_memory()[0]
        for number in range(10_000):
            try:
                assert await keys.find("pxx_" + secrets.token_urlsafe(32), address=f"198.51.{number % 256}.7") is None
                asked += 1
            except keys.TooManyGuesses as wait:
                refused += wait.retry_after >= 1
        grown = tracemalloc.get_traced_memory()[0] - first
        tracemalloc.stop()
    assert asked <= guesses.TOTAL_BURST
    assert refused >= 10_000 - guesses.TOTAL_BURST
    assert grown < 1_000_000
    keys.forget()


@pytest.mark.django_db(transaction=True)
async def test_truncated_and_lengthened_keys_never_share_an_entry(tenant):
    keys.forget()
    _, token = await in_thread(keys.issue, tenant, label="x")
    assert await keys.find(token) is not None
    for other in (token[:-1], token + "A", token[:-1] + ("A" if token[-1] != "A" else "B"), token.upper(), token[4:]):
        assert await keys.find(other) is None
    assert len(keys._memory._known) == 1
    assert all(len(digest) == 64 for digest in keys._memory._known)
    keys.forget()


def test_what_was_refused_is_forgotten_by_number():
    entries: dict[str, float] = {}
    for number in range(key_memory.REFUSED_LIMIT + 500):
        key_memory._put(entries, str(number), 0.0, key_memory.REFUSED_LIMIT)
    assert len(entries) == key_memory.REFUSED_LIMIT
