"""The API's documents: the OpenAPI schema, Swagger UI and Redoc, offline and under the content security policy."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_page
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

# Making the schema takes a second; it changes with the code alone.
_SCHEMA_SECONDS = 3600
# The SHA-256 of the empty text. Redoc's style library makes an empty style element and fills it through the object
# model, which the policy allows; an inline style with a single character in it is still refused.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
# The one style that Redoc writes as text (its scroll bars); by its hash, nothing else can come in with it.
_SCROLLBAR_STYLE = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
_REDOC_BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
# The badge beside "API docs by Redocly" would be fetched from the internet; one clear pixel stands in for it.
_BADGE, _NO_BADGE = "https://cdn.redoc.ly/redoc/logo-mini.svg", "data:image/gif;base64,R0lGODlhAQABAAAAACw="
_SCRIPT_SECONDS = 86_400


@method_decorator(cache_page(_SCHEMA_SECONDS, key_prefix=settings.VERSION), name="dispatch")
class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as YAML or (by Accept, or `?format=json`) JSON."""


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI; its start-up code comes from a URL of its own because the policy refuses inline scripts."""

    template_name = "api/swagger.html"
    url_name = "schema"


@method_decorator(csp_update({"style-src": [_EMPTY_STYLE, _SCROLLBAR_STYLE]}), name="dispatch")
class RedocView(TemplateView):
    """Redoc, without its web fonts and its search (which would run a worker from a blob)."""

    template_name = "api/redoc.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "script" not in request.GET:
            return super().get(request, *args, **kwargs)
        response = HttpResponse(_redoc_script(), content_type="application/javascript")
        patch_cache_control(response, public=True, max_age=_SCRIPT_SECONDS)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(title=settings.SPECTACULAR_SETTINGS["TITLE"], **kwargs)


@lru_cache(maxsize=1)
def _redoc_script() -> bytes:
    """Return Redoc's bundle as it is shipped, but for the address of the badge."""
    path = finders.find(_REDOC_BUNDLE)
    assert isinstance(path, str)
    return Path(path).read_bytes().replace(_BADGE.encode(), _NO_BADGE.encode())
