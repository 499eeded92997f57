"""Admin pages of rows that people look at and act on, but never edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:  # at run time it stands before the admin class that it goes with
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = object

# Django offers to save wherever somebody may act, also when no field can be changed.
_NOTHING_TO_SAVE = {"show_save": False, "show_save_and_continue": False}


class LookedAt(_Admin):
    """Names its pages by what they show; Django's words are of choosing and changing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": str(self.opts.verbose_name).capitalize(), **_NOTHING_TO_SAVE, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)
