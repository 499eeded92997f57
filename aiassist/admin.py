"""Fraud models, calibration cases and health reports on the operator's site: superusers look, services alone write."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin

from aiassist.models import CalibrationCase, FraudModelVersion, HealthReport
from tenancy.admin_site import TenantOwnedAdmin


@admin.register(FraudModelVersion)
class FraudModelVersionAdmin(TenantOwnedAdmin):
    list_display = ("version", "tenant", "state", "passed", "trained_at", "activated_at")
    list_filter: ClassVar[Any] = ("tenant", "state")
    list_select_related: ClassVar[Any] = ("tenant",)
    ordering = ("-trained_at",)
    exclude = ("document",)  # thousands of numbers that no one reads


@admin.register(CalibrationCase)
class CalibrationCaseAdmin(TenantOwnedAdmin):
    list_display = ("assessment_id", "tenant", "true_label", "prediction_set", "calibration_source", "labelled_at")
    list_filter: ClassVar[Any] = ("tenant", "true_label", "calibration_source", "model_version")
    list_select_related: ClassVar[Any] = ("tenant",)
    search_fields = ("=assessment_id",)
    ordering = ("-labelled_at",)


@admin.register(HealthReport)
class HealthReportAdmin(TenantOwnedAdmin):
    list_display = ("made_at", "tenant", "status", "cause")
    list_filter: ClassVar[Any] = ("tenant", "status", "cause")
    list_select_related: ClassVar[Any] = ("tenant",)
    ordering = ("-made_at",)
