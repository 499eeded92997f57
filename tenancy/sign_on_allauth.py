"""The one file that knows django-allauth. It carries the OpenID Connect conversation (state, PKCE, code for token);
what an answer is worth is judged here and in `tenancy/sign_on.py`. None of its accounts, pages or tables are used.

Stricter than the library: the token's signature, algorithm, issuer and audience are checked against the configured
provider although it came over TLS, a nonce binds it to this browser's question, and userinfo must be about the same
person.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter

from observability.errors import NotFound, Unavailable
from observability.tracing import http_call_span
from tenancy.errors import IdentityRefused
from tenancy.jwts import read_id_token
from tenancy.sign_on import Arrival
from tenancy.sign_on_rules import SignOnProvider, providers

log = structlog.get_logger(__name__)

# What a finished conversation is answered with: who arrived, where they wanted to go, and for whom they are linked.
Finish = Callable[[Arrival, str, UUID | None], HttpResponse]
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# What the library stumbles over when a provider's answer has not the shape it trusts in.
_MISSHAPEN = (AttributeError, IndexError, KeyError, TypeError, ValueError)


def provider_called(provider_id: str) -> SignOnProvider:
    """Return the configured provider; raises NotFound."""
    found = next((provider for provider in providers() if provider.id == provider_id), None)
    if found is None:
        raise NotFound
    return found


def begin_sign_on(request: HttpRequest, provider: SignOnProvider, *, then: str, link_for: UUID | None) -> HttpResponse:
    """Return the redirect to the provider. Raises Unavailable, IdentityRefused for a provider that misconfigured."""
    nonce = secrets.token_urlsafe(24)
    link = str(link_for) if link_for else ""
    try:
        library = StrictAdapter(request, provider.id).get_provider()
        library.oauth2_adapter_class = StrictAdapter
        answer: HttpResponse = library.redirect(
            request, process="login", next_url=then, auth_params={"nonce": nonce}, nonce=nonce, link_for=link
        )
    except RequestException as problem:
        log.warning("identity_provider_away", provider=provider.id, error=type(problem).__name__)
        raise Unavailable("The identity provider does not answer.") from problem
    except _MISSHAPEN as problem:
        raise IdentityRefused(reason=f"begin: {type(problem).__name__}") from problem
    return answer


def finish_sign_on(request: HttpRequest, provider: SignOnProvider, finish: Finish) -> HttpResponse:
    """Return what `finish` makes of the arrival. Raises IdentityRefused, and whatever `finish` raises."""
    request.sign_on_finish = finish  # type: ignore[attr-defined]  # read back by SignOnAdapter
    view = OAuth2CallbackView.adapter_view(StrictAdapter(request, provider.id))
    answer: HttpResponse = view(request)
    return answer


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Named in the settings: tells the library our providers, and takes over as soon as it knows who arrived."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=known.id,
                name=known.name,
                client_id=known.client_id,
                secret=known.client_secret,
                settings={"server_url": known.issuer.rstrip("/"), "oauth_pkce_enabled": True},
            )
            for known in providers()
            if provider in (None, known.id, "openid_connect") and client_id in (None, known.client_id)
        ]

    def get_requests_session(self) -> Session:
        session: Session = super().get_requests_session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, _TracedAdapter())
        session.max_redirects = 0
        session.trust_env = False  # no proxy or .netrc of the server's surroundings
        return session

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        raise IdentityRefused(reason=f"{error}: {type(exception).__name__}") from exception

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        facts, state = sociallogin.account.extra_data, sociallogin.state
        if not hmac.compare_digest(facts["nonce"].encode(), state["nonce"].encode()):
            raise IdentityRefused(reason="nonce")
        finish: Finish = request.sign_on_finish  # type: ignore[attr-defined]  # set by finish_sign_on
        link_for = UUID(state["link_for"]) if state["link_for"] else None
        raise ImmediateHttpResponse(finish(facts["arrival"], state.get("next", ""), link_for))


class _TracedAdapter(HTTPAdapter):
    """Sends requests to a provider, each as a span: the host, the verb and how it ended."""

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        host = urlsplit(str(request.url)).hostname or ""
        with http_call_span(method=str(request.method), server=host) as span:
            try:
                response = super().send(request, *args, **kwargs)
            except RequestException as error:
                span.failed(type(error).__name__)
                raise
            span.note(http__response__status_code=response.status_code)
        return response


class StrictAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # the library has no types
    """The conversation with one provider, believing nothing that was not checked."""

    @property
    def openid_config(self) -> Mapping[str, Any]:
        config = super().openid_config
        origin = urlsplit(provider_called(self.provider_id).issuer)[:2]
        if not all(isinstance(config.get(name), str) for name in _ENDPOINTS):
            raise IdentityRefused(reason="discovery document")
        # The content policy lets the sign-in form lead to the issuer's own origin and nowhere else.
        if urlsplit(config["authorization_endpoint"])[:2] != origin:
            raise IdentityRefused(reason="authorization endpoint elsewhere")
        return dict(config)

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            data = super().get_access_token_data(*args, **kwargs)
        except _MISSHAPEN as problem:
            raise OAuth2Error("misshapen answer") from problem
        if not isinstance(data, dict):
            raise OAuth2Error("misshapen answer")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=str(data["access_token"]))  # used for userinfo now, kept nowhere

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        known = provider_called(self.provider_id)
        claims = read_id_token(
            kwargs["response"].get("id_token"),
            key_set=self._fetched(self.openid_config["jwks_uri"]),
            issuer=known.issuer,
            client_id=known.client_id,
            algorithm=known.algorithm,
        )
        if "email" not in claims and isinstance(self.openid_config.get("userinfo_endpoint"), str):
            claims = {**self._userinfo(token, claims["sub"]), **claims}
        # The library makes a person of whatever it is told, so it is told nothing; its tables know nobody by that name.
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, {"id_token": {"sub": "unnamed"}})
        login.account.extra_data = {"arrival": _arrival(known, claims), "nonce": _text(claims, "nonce")}
        return login

    def _userinfo(self, token: SocialToken, subject: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {token.token}"}
        facts = self._fetched(self.openid_config["userinfo_endpoint"], headers=headers)
        if facts.get("sub") != subject:
            raise IdentityRefused(reason="userinfo about someone else")
        return facts

    def _fetched(self, url: str, *, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        with get_adapter().get_requests_session() as session:
            response = session.get(url, headers=headers)
            response.raise_for_status()
            data = response.json()
        if not isinstance(data, dict):
            raise IdentityRefused(reason="no JSON object")
        return data


def _arrival(provider: SignOnProvider, claims: Mapping[str, Any]) -> Arrival:
    """Return the claims that matter, each only if it has its type: `email_verified` may come as the text "false"."""
    return Arrival(
        provider=provider,
        subject=claims["sub"],
        email=_text(claims, "email"),
        email_verified=claims.get("email_verified") is True,
        given_name=_text(claims, "given_name"),
        family_name=_text(claims, "family_name"),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
