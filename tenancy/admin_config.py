"""Makes the operator's site the default admin site (an app's own config module may hold one config only)."""

from django.contrib.admin.apps import AdminConfig


class OperatorAdminConfig(AdminConfig):
    default_site = "tenancy.admin_site.OperatorAdminSite"
