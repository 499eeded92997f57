"""Row-level security, and foreign keys that stay within the tenant."""

from django.db import migrations

from tenancy import audit_guard, erasure_guard, ledger_guard
from tenancy.row_security import SameTenant, TenantIsolation


def restore_guards(apps, schema_editor):
    """SQLite has rebuilt the tables, and their triggers went with the old ones."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in [
            *audit_guard.lift_statements("sqlite"),
            *audit_guard.guard_statements("sqlite"),
            *ledger_guard.ledger_lift_statements("sqlite"),
            *ledger_guard.ledger_guard_statements("sqlite"),
            *erasure_guard.erasure_lift_statements("sqlite"),
            *erasure_guard.erasure_guard_statements("sqlite"),
        ]:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0014_audit_places_only"),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, restore_guards),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=TenantIsolation(name="tenancy_auditevent_isolation"),
        ),
        migrations.AddConstraint(
            model_name="audithead",
            constraint=TenantIsolation(name="tenancy_audithead_isolation"),
        ),
        migrations.AddConstraint(
            model_name="costrecord",
            constraint=TenantIsolation(name="tenancy_costrecord_isolation"),
        ),
        migrations.AddConstraint(
            model_name="idempotencyrecord",
            constraint=TenantIsolation(name="tenancy_idempotencyrecord_isolation"),
        ),
        migrations.AddConstraint(
            model_name="webhookattempt",
            constraint=TenantIsolation(name="tenancy_webhookattempt_isolation"),
        ),
        migrations.AddConstraint(
            model_name="webhookattempt",
            constraint=SameTenant(field="delivery", name="tenancy_webhookattempt_delivery_tenant"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=TenantIsolation(name="tenancy_webhookdelivery_isolation"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=SameTenant(field="endpoint", name="tenancy_webhookdelivery_endpoint_tenant"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=SameTenant(field="event", name="tenancy_webhookdelivery_event_tenant"),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=TenantIsolation(name="tenancy_webhookendpoint_isolation"),
        ),
        migrations.AddConstraint(
            model_name="webhookevent",
            constraint=TenantIsolation(name="tenancy_webhookevent_isolation"),
        ),
        migrations.AddConstraint(
            model_name='auditnode',
            constraint=TenantIsolation(name='tenancy_auditnode_isolation'),
        ),
        migrations.AddConstraint(
            model_name='auditplace',
            constraint=TenantIsolation(name='tenancy_auditplace_isolation'),
        ),
        migrations.AddConstraint(
            model_name='auditplace',
            constraint=SameTenant(field='event', name='tenancy_auditplace_event_tenant'),
        ),
        migrations.AddConstraint(
            model_name='auditseal',
            constraint=TenantIsolation(name='tenancy_auditseal_isolation'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=TenantIsolation(name='tenancy_erasure_isolation'),
        ),
        migrations.AddConstraint(
            model_name='quotacounter',
            constraint=TenantIsolation(name='tenancy_quotacounter_isolation'),
        ),
        migrations.AddConstraint(
            model_name='quotahold',
            constraint=TenantIsolation(name='tenancy_quotahold_isolation'),
        ),
        migrations.AddConstraint(
            model_name='vaultkey',
            constraint=TenantIsolation(name='tenancy_vaultkey_isolation'),
        ),
        migrations.RunPython(restore_guards, migrations.RunPython.noop),
    ]
