"""OpenID Connect, stricter than the library: signature, issuer, audience and nonce of every ID token count (B4).

An identity is issuer and subject: the same subject of another issuer is somebody else, even if an operator points
the same name at another issuer later.
"""

import hashlib
import hmac
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CLOCKS_DIFFER = 60  # seconds
LONGEST_UID = 191


class Untrusted(OAuth2Error):
    """An answer that must not be believed; the text says why, for the log."""


class PublicCallback:
    """Coming back to the public address, where one is configured, and not to whatever a Host header says."""

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return the address that is registered at the provider."""
        path = reverse("signin_back", kwargs={"provider_id": app.provider_id or app.provider})
        return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


class StrictAdapter(PublicCallback, OpenIDConnectOAuth2Adapter):
    """How one issuer is talked to."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the issuer says of itself; raises if it calls itself otherwise than it is configured."""
        found: dict[str, Any] = super().openid_config
        configured = self.get_provider().app.settings["server_url"].rstrip("/")
        if str(found.get("issuer", "")).rstrip("/") != configured:
            raise Untrusted("The issuer calls itself otherwise.")
        return found

    def get_provider(self) -> "StrictProvider":
        """Return the provider with these rules."""
        return StrictProvider(self.request, app=super().get_provider().app)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return who has signed in there; raises without a good ID token."""
        said = request.GET.get("iss")
        if said is not None and said != self.openid_config["issuer"]:  # RFC 9207
            raise Untrusted("The answer came from another issuer.")
        if not kwargs["response"].get("id_token"):
            raise Untrusted("There is no ID token.")
        login = super().complete_login(request, app, token, **kwargs)
        claims = login.account.extra_data
        if claims.get("userinfo") and claims["userinfo"].get("sub") != claims["id_token"]["sub"]:
            raise Untrusted("The user information is somebody else's.")
        return login

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        config = self.openid_config
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key_for(jwt.get_unverified_header(id_token)),
                algorithms=SIGNED_WITH,
                issuer=config["issuer"],
                audience=app.client_id,
                leeway=CLOCKS_DIFFER,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as fault:
            raise Untrusted(f"The ID token is not good ({type(fault).__name__}).") from fault
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not claims["sub"] or (len(audience) > 1 and claims.get("azp") != app.client_id):
            raise Untrusted("The ID token is for somebody else.")
        return claims

    def _key_for(self, head: dict[str, Any]) -> Any:
        """Return the issuer's key that a token names; one that names none must be signed with the only one there is."""
        with get_adapter(self.request).get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = [key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.public_key_use in (None, "sig")]
        kid = head.get("kid")
        usable = [key for key in keys if (key.key_id == kid if kid else len(keys) == 1)]
        if not usable:
            raise Untrusted("The ID token is signed with a key that its issuer does not know.")
        return usable[0]


class StrictProvider(OpenIDConnectProvider):
    """One issuer that people may come from."""

    oauth2_adapter_class = StrictAdapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return issuer and subject as one text."""
        claims = data["id_token"]
        identity = f"{claims['iss']} {claims['sub']}"
        return identity if len(identity) <= LONGEST_UID else hashlib.sha256(identity.encode()).hexdigest()


class GitHubAdapter(PublicCallback, GitHubOAuth2Adapter):
    """How GitHub is talked to."""


class GitHub(GitHubProvider):
    """GitHub, which speaks OAuth 2 without ID tokens; an identity there is its number."""

    oauth2_adapter_class = GitHubAdapter


def fits(nonce: Any, claims: dict[str, Any]) -> bool:
    """Tell whether an ID token was made for this very attempt to sign in."""
    said = claims.get("nonce")
    return isinstance(nonce, str) and isinstance(said, str) and hmac.compare_digest(nonce, said)
