"""What the platform's operator may do in the admin: one table, asked by Django as an authentication backend.

The operator runs the platform and sees no tenant's data: tenants, people, keys, jobs, and that something happened (the
trail without what changed). Claims, reviews and everything else of a tenant are for superusers, read-only.
"""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model

from tenancy.models import User

OPERATOR_ADMIN_PERMISSIONS = frozenset(
    {
        "tenancy.view_tenant",
        "tenancy.add_tenant",
        "tenancy.change_tenant",
        "tenancy.view_user",
        "tenancy.add_user",
        "tenancy.change_user",
        "tenancy.view_membership",
        "tenancy.add_membership",
        "tenancy.change_membership",
        "tenancy.delete_membership",
        "tenancy.view_apikey",
        "tenancy.change_apikey",  # to revoke; every field is read-only
        "tenancy.view_auditevent",
        "tenancy.view_webhookendpoint",  # host and standing, no secret
        "tenancy.view_webhookdelivery",  # how it went, not what is told
        "tenancy.view_quotacounter",
        "tenancy.view_budget",
        "tenancy.add_budget",
        "tenancy.change_budget",
        "tenancy.delete_budget",
        "tenancy.view_spendcounter",
        "tenancy.view_spendanomaly",
        "tenancy.view_budgetalert",
        "tenancy.view_auditseal",
        "observability.view_job",
        "observability.view_deadletter",
        "observability.change_deadletter",  # to retry, resolve or drop; every field is read-only
        "observability.view_workerheartbeat",
        "observability.view_timerwindow",
        "observability.view_circuitbreaker",
        "observability.view_incident",  # what can be done stands on the pages of incidents
        "observability.view_incidentstep",
        "observability.view_incidentevent",
        "observability.view_escalationlevel",
        "observability.add_escalationlevel",
        "observability.change_escalationlevel",
        "observability.delete_escalationlevel",
        "observability.view_alert",
        "observability.change_alert",  # to acknowledge and resolve; every field is read-only
        "observability.view_alertentry",
        "observability.view_alerttelling",
        "observability.change_circuitbreaker",  # to reset or force open; every field is read-only
    }
)


class OperatorPermissions(BaseBackend):
    """Answers for the operator; signs nobody in."""

    def get_user_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Model | None = None) -> set[str]:
        operates = isinstance(user_obj, User) and user_obj.is_active and user_obj.is_operator
        return set(OPERATOR_ADMIN_PERMISSIONS) if operates and obj is None else set()

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_user_permissions(user_obj))
