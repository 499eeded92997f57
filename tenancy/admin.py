"""Tenants, people, memberships, keys and the trail on the operator's site; every save goes through a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from observability.errors import PermissionRefused
from tenancy.admin_site import ReadOnlyAdmin, ServiceAdmin, TenantOwnedAdmin, rendered
from tenancy.choices import BudgetPeriod, BudgetPolicy, Role, TenantStatus, Tier
from tenancy.costs.budgets import budget_of, change_budget, create_budget, remove_budget
from tenancy.costs.errors import BudgetExists
from tenancy.errors import QuotaNotCustom
from tenancy.members import add_member, change_member_role, create_tenant, remove_member
from tenancy.models import (
    ApiKey,
    AuditEvent,
    AuditSeal,
    Budget,
    BudgetAlert,
    CostRecord,
    Membership,
    QuotaCounter,
    SpendAnomaly,
    SpendCounter,
    Tenant,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from tenancy.principals import Principal, principal_of_operator
from tenancy.scope import every_tenant, tenant_scope
from tenancy.second_factor import remove_second_factor
from tenancy.services import revoke_api_key, set_custom_quota, set_tenant_standing
from tenancy.sessions import deactivate_person

if TYPE_CHECKING:  # these take their model as a parameter for the type checker only
    PersonAdminBase = UserAdmin[User]
    PersonFormBase = UserChangeForm[User]
    NewPersonFormBase = AdminUserCreationForm[User]
    TenantFormBase = ModelForm[Tenant]
    BudgetFormBase = ModelForm[Budget]
else:
    PersonAdminBase, PersonFormBase, NewPersonFormBase = UserAdmin, UserChangeForm, AdminUserCreationForm
    TenantFormBase = BudgetFormBase = ModelForm


admin.site.unregister(Group)  # rights come from roles; groups would be a second, unused answer


def acting_operator(request: HttpRequest) -> Principal:
    """Return who acts on the operator's site (which lets in operators and superusers alone)."""
    assert isinstance(request.user, User)
    return principal_of_operator(request.user)


_CUSTOM = ("custom_assessments_per_month", "custom_storage_gb")


class BudgetForm(BudgetFormBase):
    """Whose budget it is can be chosen once; the column itself is set by the service."""

    owner = ModelChoiceField(queryset=Tenant.objects.order_by("slug"), label="Tenant")

    class Meta:
        model = Budget
        fields = ("period", "limit_usd", "policy")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if not self.instance._state.adding:
            self.fields["owner"].initial = self.instance.tenant_id
            self.fields["owner"].disabled = True

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        owner, period = found.get("owner"), found.get("period")
        taken = Budget.objects.filter(tenant=owner, period=period)
        if self.instance._state.adding and owner is not None and taken.exists():
            self.add_error("period", BudgetExists.message)
        return found


class TenantForm(TenantFormBase):
    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        for name in _CUSTOM:
            if given.get(name) is not None and given.get("tier", self.instance.tier) != Tier.ENTERPRISE:
                self.add_error(name, QuotaNotCustom.message)
        return given


@admin.register(Tenant)
class TenantAdmin(ServiceAdmin):
    """Opening tenants, their tier, status and agreed quotas. Name and settings are the tenant's own."""

    form = TenantForm
    list_display = ("slug", "name", "tier", "status", "created_at")
    list_filter = ("tier", "status")
    search_fields = ("=slug", "name")
    ordering = ("slug",)
    fields = ("slug", "name", "tier", "status", *_CUSTOM, "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return ("status", *_CUSTOM, "created_at") if obj is None else ("slug", "name", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a tenant is closed, its history stays

    def save_model(self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool) -> None:  # noqa: FBT001  # Django's signature
        actor, now, tier = acting_operator(request), timezone.now(), Tier(obj.tier)
        if change:
            stored = Tenant.objects.get(id=obj.id)
            status = TenantStatus(obj.status)
            stored = set_tenant_standing(actor=actor, tenant=stored, tier=tier, status=status, now=now)
            set_custom_quota(
                actor=actor,
                tenant=stored,
                assessments_per_month=obj.custom_assessments_per_month,
                storage_gb=obj.custom_storage_gb,
                now=now,
            )
        else:
            created = create_tenant(actor=actor, slug=obj.slug, name=obj.name, tier=tier, now=now)
            obj.id, obj.created_at = created.id, created.created_at


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """Who works where; each change stands in the tenant's trail."""

    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("tenant", "role")
    list_select_related = ("user", "tenant")
    search_fields = ("=user__username",)
    autocomplete_fields = ("user", "tenant")
    fields = ("user", "tenant", "role")
    actions = None  # a bulk delete would pass the service by

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return () if obj is None else ("user", "tenant")

    def save_model(self, request: HttpRequest, obj: Membership, form: ModelForm[Membership], change: bool) -> None:  # noqa: FBT001  # Django's signature
        actor, now, role = acting_operator(request), timezone.now(), Role(obj.role)
        if change:
            change_member_role(actor=actor, member=obj, role=role, now=now)
        else:
            obj.id = add_member(actor=actor, tenant=obj.tenant, user=obj.user, role=role, now=now).id

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(actor=acting_operator(request), member=obj, now=timezone.now())


class PersonForm(PersonFormBase):
    class Meta(UserChangeForm.Meta):
        model = User


class NewPersonForm(NewPersonFormBase):
    class Meta(AdminUserCreationForm.Meta):
        model = User


@admin.register(User)
class PersonAdmin(PersonAdminBase):
    """People. An operator makes and deactivates them, but sets no existing person's password and makes no operators:
    either would be a way into a tenant's data or into the platform."""

    form, add_form = PersonForm, NewPersonForm
    list_display = ("username", "first_name", "last_name", "is_active", "is_operator", "last_login")
    list_filter = ("is_active", "is_operator", "is_superuser")
    search_fields = ("username", "first_name", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions = ("remove_factors",)
    _person = ("Person", {"fields": ("first_name", "last_name", "email", "is_active")})
    _dates = ("Dates", {"fields": ("last_login", "date_joined")})

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        if _is_root(request):
            rights = ("Platform", {"fields": ("is_operator", "is_superuser")})
            return ((None, {"fields": ("username", "password")}), self._person, rights, self._dates)
        return ((None, {"fields": ("username",)}), self._person, self._dates)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        above = obj is not None and (obj.is_superuser or obj.is_operator) and not _is_root(request)
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # people are deactivated; what they did stays theirs

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:  # noqa: FBT001  # Django's signature
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            deactivate_person(actor=acting_operator(request), user=obj, now=timezone.now())

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # Saved by a service with a transaction of its own (Django would wrap it in another).
        page: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # Django's
        return page

    def has_factors_permission(self, request: HttpRequest) -> bool:
        return _is_root(request)  # an operator who could would only need to learn a password to be anybody

    @admin.action(description="Remove the second factor", permissions=["factors"])
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            remove_second_factor(user=user, now=timezone.now(), actor=acting_operator(request))
        self.message_user(request, "They sign in with their password alone until they set it up anew.")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not _is_root(request):
            raise PermissionRefused("Passwords of others are set by a superuser.")
        return super().user_change_password(request, id, form_url)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys without their hashes, and a way to end them."""

    list_display = ("prefix", "name", "tenant", "user", "scopes", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("tenant",)
    list_select_related = ("tenant", "user")
    search_fields = ("=prefix", "name", "=user__username")
    ordering = ("-created_at",)
    exclude = ("secret_sha256",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenancy.change_apikey")

    @admin.action(description="Revoke at once", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked_at=None).values_list("id", flat=True))
        for key_id in keys:
            revoke_api_key(actor=acting_operator(request), key_id=key_id, now=timezone.now())
        self.message_user(request, f"{len(keys)} keys are revoked.", messages.SUCCESS if keys else messages.WARNING)


@admin.register(AuditEvent)
class AuditEventAdmin(TenantOwnedAdmin):
    """That something happened, by whom, to what; what changed is shown to superusers alone."""

    list_display = ("place", "event", "actor_type", "actor_name", "object_type", "object_id", "at")
    list_filter: ClassVar[Any] = ("tenant", "event", "actor_type")
    list_select_related: ClassVar[Any] = ("tenant", "place")
    search_fields = ("=object_id", "=request_id", "=actor_id")
    ordering = ("-id",)
    _metadata = ("tenant", "event", "actor_type", "actor_id", "actor_name", "object_type", "object_id", "at")
    _chain = ("request_id", "leaf_hash", "place", "previous_hash", "hash")

    def get_fields(self, request: HttpRequest, obj: AuditEvent | None = None) -> tuple[str, ...]:
        content = ("before", "after", "reason") if _is_root(request) else ()
        return (*self._metadata, *content, *self._chain)

    def get_readonly_fields(self, request: HttpRequest, obj: AuditEvent | None = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description="Place", empty_value="awaits its seal")
    def place(self, event: AuditEvent) -> int | None:
        place = event.place_or_none
        return place.seq if place else None

    @admin.display(description="Previous hash", empty_value="awaits its seal")
    def previous_hash(self, event: AuditEvent) -> str | None:
        place = event.place_or_none
        return place.previous_hash if place else None

    @admin.display(description="Hash", empty_value="awaits its seal")
    def hash(self, event: AuditEvent) -> str | None:
        place = event.place_or_none
        return place.hash if place else None


@admin.register(AuditSeal)
class AuditSealAdmin(TenantOwnedAdmin):
    """Seals of the trails: how large each was, and by which key it is signed."""

    list_display = ("number", "tenant", "size", "sealed_at", "key_id")
    list_filter: ClassVar[Any] = ("tenant",)
    ordering = ("-id",)


@admin.register(CostRecord)
class CostRecordAdmin(TenantOwnedAdmin):
    """What was spent, call by call; never changed, also not here."""

    list_display = ("at", "tenant", "category", "provider", "model", "input_tokens", "output_tokens", "amount_usd")
    list_filter: ClassVar[Any] = ("tenant", "category", "provider", "estimated")
    search_fields = ("=reference", "=job_id")
    date_hierarchy = "at"
    ordering = ("-id",)


@admin.register(Budget)
class BudgetAdmin(ServiceAdmin):
    """Budgets of all tenants; an operator sets one where a tenant has no administrator at hand."""

    list_display = ("tenant", "period", "limit_usd", "policy", "changed_at")
    list_filter = ("tenant", "period", "policy")
    list_select_related = ("tenant",)
    ordering = ("tenant", "period")
    fields = ("owner", "period", "limit_usd", "policy", "changed_at")
    form = BudgetForm
    actions = None  # a bulk delete would pass the service by

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> tuple[str, ...]:
        return ("changed_at",) if obj is None else ("period", "changed_at")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        with every_tenant(f"admin budgets for {request.user.pk}"):
            return rendered(super().changelist_view(request, extra_context))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with every_tenant(f"admin budgets for {request.user.pk}"):
            return rendered(super().changeform_view(request, object_id, form_url, extra_context))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with every_tenant(f"admin budgets for {request.user.pk}"):
            return rendered(super().delete_view(request, object_id, extra_context))

    def save_model(self, request: HttpRequest, obj: Budget, form: ModelForm[Budget], change: bool) -> None:  # noqa: FBT001  # Django's signature
        actor, now, policy = acting_operator(request), timezone.now(), BudgetPolicy(obj.policy)
        tenant_id: UUID = form.cleaned_data["owner"].id
        with tenant_scope(tenant_id):
            if change:
                stored = budget_of(obj.id)
                change_budget(actor=actor, budget=stored, limit_usd=obj.limit_usd, policy=policy, now=now)
                return
            period = BudgetPeriod(obj.period)
            made = create_budget(actor=actor, period=period, limit_usd=obj.limit_usd, policy=policy, now=now)
        obj.id, obj.tenant_id = made.id, tenant_id

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        assert obj.tenant_id is not None
        with tenant_scope(obj.tenant_id):
            remove_budget(actor=acting_operator(request), budget_id=obj.id, now=timezone.now())


@admin.register(BudgetAlert)
class BudgetAlertAdmin(TenantOwnedAdmin):
    """Which budgets were reached, and when that was told."""

    list_display = ("at", "period", "starts_at", "percent", "limit_usd")
    list_filter: ClassVar[Any] = ("tenant", "period", "percent")
    ordering = ("-id",)


@admin.register(SpendCounter)
class SpendCounterAdmin(TenantOwnedAdmin):
    """What was spent by month, day and hour, in billionths of a dollar: derived from the ledger."""

    list_display = ("span", "starts_at", "spent_nanos", "reserved_nanos", "calls")
    list_filter: ClassVar[Any] = ("tenant", "span")
    ordering = ("-starts_at", "tenant")


@admin.register(SpendAnomaly)
class SpendAnomalyAdmin(TenantOwnedAdmin):
    """When a tenant's spending was unusual."""

    list_display = ("found_at", "ended_at", "spent_nanos", "expected_nanos", "threshold_nanos")
    list_filter: ClassVar[Any] = ("tenant",)
    ordering = ("-id",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantOwnedAdmin):
    """How tenants' webhooks stand. The host is shown, not the whole address: a path or query may hold a secret."""

    list_display = ("host", "enabled", "disabled_reason", "failing_since", "resting_until", "created_at")
    list_filter: ClassVar[Any] = ("tenant", "enabled", "disabled_reason")
    ordering = ("-id",)
    _times = ("disabled_at", "failing_since", "resting_until", "old_secret_until", "created_at")
    fields = ("tenant", "host", "events", "enabled", "disabled_reason", *_times)

    @admin.display(description="Host")
    def host(self, endpoint: WebhookEndpoint) -> str:
        return urlsplit(endpoint.url).netloc


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(TenantOwnedAdmin):
    """What is on its way to webhooks and how it went; without what is told."""

    list_display = ("created_at", "event_type", "state", "round", "attempts", "status_code", "latency_ms", "error_code")
    list_filter: ClassVar[Any] = ("tenant", "state", "error_code")
    list_select_related: ClassVar[Any] = ("tenant", "event")
    search_fields = ("=id", "=event__id", "=endpoint__id")
    ordering = ("-id",)
    _standing = ("state", "round", "attempts", "next_attempt_at", "status_code", "latency_ms", "error_code")
    fields = ("tenant", "endpoint", "event_type", *_standing, "created_at", "finished_at")

    @admin.display(description="Event")
    def event_type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type


@admin.register(QuotaCounter)
class QuotaCounterAdmin(TenantOwnedAdmin):
    """What tenants have used of their quotas."""

    list_display = ("resource", "period", "used", "reserved")
    list_filter: ClassVar[Any] = ("tenant", "resource", "period")
    ordering = ("-period", "tenant")


def _is_root(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
