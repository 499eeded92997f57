"""The page that fails, beside the product's own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401  # Django looks here for them
from tests.canary.failing import fail


@csrf_exempt
def failing(request: HttpRequest, number: int) -> HttpResponse:
    body = request.body
    fail(number)
    return HttpResponse(body)


urlpatterns = [path("canary/<int:number>/", failing, name="canary"), path("", include("config.urls"))]
