"""Tokens over HTTP: `POST /token`, `/token/refresh`, `/token/revoke`. No credential is needed to ask for one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenancy.base_api import JSONAnswers
from tenancy.entering import Asked, tokens_for_password
from tenancy.errors import InvalidCredential, TokenExpired
from tenancy.inputs import StrictSerializer, TextField
from tenancy.listing import refuse_parameters
from tenancy.token_grants import TokenPair, refresh_tokens, revoke_tokens


class TokenRequest(StrictSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=1000, trim_whitespace=False)
    tenant = TextField(max_length=60, required=False, help_text="Id or slug; needed by a person in several tenants.")
    code = TextField(
        max_length=40, required=False, help_text="Of the authenticator app, or a recovery code, where one is set up."
    )


class RefreshRequest(StrictSerializer):
    refresh = TextField(max_length=4096)


class TokenAnswer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    refresh = serializers.CharField(help_text="Good for one refresh; a second use ends all tokens of the sign-in.")
    token_type = serializers.ChoiceField(choices=[("Bearer", "Bearer")])
    expires_in = serializers.IntegerField(help_text="Seconds until the access token is over.")


class DoorAPIView(APIView):
    """A view that hands out credentials, so it asks for none; nothing it says is kept by any cache."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = JSONAnswers

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204)


class TokenView(DoorAPIView):
    """`POST /token`"""

    @extend_schema(operation_id="token_create", request=TokenRequest, responses={200: TokenAnswer})
    def post(self, request: Request) -> Response:
        """Sign a person in: an access token for minutes, a refresh token to get the next one."""
        refuse_parameters(request)
        asked = Asked(**TokenRequest.checked(request.data))
        return _pair(tokens_for_password(request, asked, now=timezone.now()))


class TokenRefreshView(DoorAPIView):
    """`POST /token/refresh`"""

    @extend_schema(operation_id="token_refresh", request=RefreshRequest, responses={200: TokenAnswer})
    def post(self, request: Request) -> Response:
        """Change a refresh token for the next pair. One that was used before ends all tokens of its sign-in."""
        refuse_parameters(request)
        refresh = RefreshRequest.checked(request.data)["refresh"]
        return _pair(refresh_tokens(refresh=refresh, now=timezone.now()))


class TokenRevokeView(DoorAPIView):
    """`POST /token/revoke`"""

    @extend_schema(operation_id="token_revoke", request=RefreshRequest, responses={204: None})
    def post(self, request: Request) -> Response:
        """End all tokens of the sign-in. A token that is over or unknown is answered alike (RFC 7009)."""
        refuse_parameters(request)
        refresh = RefreshRequest.checked(request.data)["refresh"]
        with suppress(InvalidCredential, TokenExpired):
            revoke_tokens(refresh=refresh, now=timezone.now())
        return Response(status=204)


def _pair(pair: TokenPair) -> Response:
    data = {"access": pair.access, "refresh": pair.refresh, "token_type": "Bearer", "expires_in": pair.expires_in}
    return Response(data)
