"""Blind labels: one video at a time, and the person's own severity."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from aiassist.types import Severity
from observability.errors import Conflict
from reviews.labels import give_label, labels_waiting_for
from reviews.pages.label_page import CANNOT_TELL, label_context
from tenancy.base_views import TenantView


class LabelForm(forms.Form):
    severity = forms.ChoiceField(choices=[*((s, s) for s in Severity), (CANNOT_TELL, CANNOT_TELL)])

    def chosen(self) -> Severity | None:
        """Return the valid form's severity, None where it cannot be told."""
        value = self.cleaned_data["severity"]
        return None if value == CANNOT_TELL else Severity(value)


class LabelsView(TenantView):
    """Shows the next video that this person may label."""

    def get(self, request: HttpRequest) -> HttpResponse:
        waiting = labels_waiting_for(self.principal)
        context = label_context(waiting.first(), waiting=waiting.count())
        return render(request, "desk/labels.html", context)


class LabelView(TenantView):
    """Takes the label of one video and goes on to the next."""

    def post(self, request: HttpRequest, label_id: UUID) -> HttpResponse:
        form = LabelForm(request.POST)
        if not form.is_valid():
            messages.warning(request, "Choose one of the five.")
            return redirect("desk:labels")
        try:
            give_label(label_id=label_id, actor=self.principal, severity=form.chosen(), now=timezone.now())
        except Conflict as conflict:
            messages.warning(request, conflict.message)
        else:
            messages.success(request, "Your label is recorded.")
        return redirect("desk:labels")
