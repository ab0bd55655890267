"""An OpenID Connect server of somebody else's (oidc-provider-mock on Authlib), as a process of its own.

    python -m tests.signin.issuer PORT

It insists on PKCE with S256, which that package leaves out, and lies on demand: `PUT /sim/lie/<how>` spoils the next
ID tokens, `PUT /users/<subject>` says who somebody is.
"""

import base64
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from tests.ports import free_port

READY_WITHIN = 30.0


class Issuer:
    """The running server, and a person's browser at it."""

    def __init__(self, port: int) -> None:
        self.address = f"http://localhost:{port}"
        self.heard: list[str] = []

    def knows(self, subject: str, **claims: Any) -> None:
        """Say who somebody is."""
        httpx.put(f"{self.address}/users/{subject}", json=claims).raise_for_status()

    def lies(self, how: str) -> None:
        """Spoil ID tokens from now on; the empty text ends it."""
        httpx.put(f"{self.address}/sim/lie/{how or 'no'}").raise_for_status()

    def sign_in(self, way: str, subject: str) -> httpx.Response:
        """Sign in there as somebody; return the answer that sends the browser back."""
        return httpx.post(way, data={"sub": subject})


@contextlib.contextmanager
def issuer() -> Iterator[Issuer]:
    """Run the server for a `with` block."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tests.signin.issuer", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = Issuer(port)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{running.address}/.well-known/openid-configuration").raise_for_status()
                break
            assert process.poll() is None, "The issuer ended."
            assert time.monotonic() < deadline, "The issuer does not answer."
            time.sleep(0.05)
        yield running
    finally:
        process.kill()
        process.wait()


def main(port: int) -> None:
    """Serve until killed."""
    from urllib.parse import parse_qs, urlsplit

    import flask
    import oidc_provider_mock
    import werkzeug.serving
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    app = oidc_provider_mock.app(require_nonce=True)
    challenges: dict[str, str] = {}
    lie = {"how": "no"}

    @app.put("/sim/lie/<how>")
    def set_lie(how: str) -> tuple[str, int]:
        lie["how"] = how
        return "", 204

    @app.before_request
    def check_proof() -> Any:
        asked = flask.request
        if asked.path == "/oauth2/authorize" and asked.args.get("code_challenge_method") != "S256":
            return {"error": "invalid_request"}, 400
        if asked.path == "/oauth2/token":
            proof = create_s256_code_challenge(asked.form.get("code_verifier", ""))
            if challenges.pop(asked.form.get("code", ""), None) != proof:
                return {"error": "invalid_grant"}, 400
        return None

    @app.after_request
    def remember_or_lie(answer: flask.Response) -> flask.Response:
        asked = flask.request
        if asked.path == "/oauth2/authorize" and answer.status_code == 302:
            code = parse_qs(urlsplit(answer.headers["Location"]).query).get("code", [""])[0]
            challenges[code] = asked.args["code_challenge"]
        if asked.path == "/oauth2/token" and answer.status_code == 200:
            body = answer.get_json()
            body["id_token"] = _spoiled(body["id_token"], lie["how"])
            answer.set_data(json.dumps(body))
        return answer

    werkzeug.serving.make_server("localhost", port, app, threaded=True).serve_forever()


def _spoiled(token: str, how: str) -> str:
    import flask
    from authlib.jose import JsonWebKey, jwt

    own = flask.g.oidc_provider_mock_storage.jwk
    if how == "no":
        return token
    claims, key = dict(jwt.decode(token, own)), own
    if how == "unsigned":
        return _unsigned(claims)
    if how == "key":
        key = JsonWebKey.generate_key("RSA", 2048, is_private=True)
    claims |= {"stale": {"exp": 1}, "azp": {"aud": ["proxx", "another"], "azp": "another"}}.get(how, {how: "another"})
    claims.pop("nonce" if how == "nonce-gone" else "", None)
    return str(jwt.encode({"alg": "RS256"}, claims, key).decode())


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


if __name__ == "__main__":
    main(int(sys.argv[1]))
