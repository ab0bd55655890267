"""What operators paste: read whatever they copied, and nothing that is no code."""

import pytest

from oauth.flows import paste, pkce

BACK = "http://localhost:1455/auth/callback"


@pytest.mark.parametrize(
    ("text", "code", "state"),
    [
        (f"{BACK}?code=abc&state=xyz", "abc", "xyz"),
        (f"  {BACK}?state=xyz&code=abc \n", "abc", "xyz"),
        ("localhost:1455/auth/callback?code=abc&state=xyz", "abc", "xyz"),
        ("code=abc&state=xyz", "abc", "xyz"),
        ("?code=a%2Bb", "a+b", ""),
        (f"{BACK}#code=abc&state=xyz", "abc", "xyz"),
        ("abc#xyz", "abc", "xyz"),
        ("abc", "abc", ""),
    ],
)
def test_every_way_to_copy_a_code_is_read(text, code, state):
    assert paste.read(text) == paste.Pasted(code, state)


@pytest.mark.parametrize(
    "text", ["", "  ", BACK, f"{BACK}?state=xyz", "a code", "a\x07b", "x" * 9000, "http://[", "#x"]
)
def test_what_holds_no_code_is_refused_with_a_sentence(text):
    with pytest.raises(paste.Unreadable, match=r"\.$"):
        paste.read(text)


def test_a_refusal_of_the_provider_is_read_in_place_of_a_code():
    found = paste.read(f"{BACK}?error=access_denied&error_description=They+said+no&state=xyz")
    assert (found.error, found.about, found.state, found.code) == ("access_denied", "They said no", "xyz", "")


def test_the_challenge_is_that_of_the_rfc():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert pkce.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_states_and_verifiers_are_long_and_never_the_same():
    made = {make() for make in (pkce.new_state, pkce.new_verifier) for _ in range(50)}
    assert len(made) == 100
    assert all(len(one) == 43 for one in made)
