"""Tables and columns of the sealed trail, beside the chained one; the guard steps aside until 0007."""

import django.db.models.deletion
from django.db import migrations, models

import observability.ids
import tenancy.scope
from tenancy.migrations._first_audit_guard import guard_statements, lift_statements


def lift_guard(apps, schema_editor):
    for statement in lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def put_guard(apps, schema_editor):
    for statement in guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def owned(*fields):
    """Return the columns of every row that a tenant owns, and these."""
    tenant = models.ForeignKey(
        default=tenancy.scope.default_tenant_id,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="tenancy.tenant",
    )
    key = models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)
    return [("id", key), *fields, ("tenant", tenant)]


HASH = {"max_length": 64}
OPTIONS = {"abstract": False, "base_manager_name": "objects"}


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0011_second_factors_and_identities")]
    operations = [
        migrations.RunPython(lift_guard, put_guard),
        migrations.CreateModel(
            name="AuditPlace",
            fields=owned(
                ("seq", models.PositiveBigIntegerField()),
                ("previous_hash", models.CharField(**HASH)),
                ("hash", models.CharField(**HASH)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="place", to="tenancy.auditevent"
                    ),
                ),
            ),
            options=OPTIONS,
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=owned(
                ("number", models.PositiveBigIntegerField()),
                ("size", models.PositiveBigIntegerField()),
                ("root", models.CharField(**HASH)),
                ("previous_hash", models.CharField(**HASH)),
                ("sealed_at", models.DateTimeField()),
                ("key_id", models.CharField(blank=True, max_length=16)),
                ("signature", models.CharField(blank=True, max_length=88)),
                ("hash", models.CharField(**HASH)),
            ),
            options=OPTIONS,
        ),
        migrations.CreateModel(
            name="AuditNode",
            fields=owned(
                ("level", models.PositiveSmallIntegerField()),
                ("position", models.PositiveBigIntegerField()),
                ("hash", models.CharField(**HASH)),
            ),
            options=OPTIONS,
        ),
        migrations.CreateModel(
            name="AuditUnsealed",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("leaf_hash", models.CharField(**HASH)),
                ("xid", models.BigIntegerField()),
                ("written_at", models.DateTimeField()),
            ],
            options={"verbose_name_plural": "unsealed events"},
        ),
        migrations.AddConstraint(
            "auditplace", models.UniqueConstraint(fields=("tenant", "seq"), name="audit_place_once")
        ),
        migrations.AddConstraint(
            "auditseal", models.UniqueConstraint(fields=("tenant", "number"), name="audit_seal_once")
        ),
        migrations.AddConstraint(
            "auditnode", models.UniqueConstraint(fields=("tenant", "level", "position"), name="audit_node_once")
        ),
        migrations.AddIndex("auditseal", models.Index(fields=["tenant", "size"], name="audit_seal_by_size")),
        migrations.AddIndex(
            "auditunsealed", models.Index(fields=["tenant_id", "xid"], name="audit_unsealed_by_tenant")
        ),
        # What is there now was hashed as a chain.
        migrations.AddField(
            "auditevent",
            "format",
            models.PositiveSmallIntegerField(choices=[(1, "chained"), (2, "leaf")], default=1),
        ),
        migrations.AlterField(
            "auditevent",
            "format",
            models.PositiveSmallIntegerField(choices=[(1, "chained"), (2, "leaf")], default=2),
        ),
        migrations.AddField("auditevent", "leaf_hash", models.CharField(blank=True, **HASH, default="")),
        migrations.AlterField(
            "auditevent",
            "leaf_hash",
            models.CharField(blank=True, **HASH, help_text="Of the leaf format; a chained event has none."),
        ),
        migrations.AlterField("auditevent", "seq", models.PositiveBigIntegerField(null=True)),
        migrations.AlterField("auditevent", "previous_hash", models.CharField(blank=True, **HASH)),
        migrations.AlterField("auditevent", "hash", models.CharField(blank=True, **HASH)),
        migrations.AddField("audithead", "seal_number", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("audithead", "seal_hash", models.CharField(**HASH, default="0" * 64)),
        migrations.AlterField("audithead", "seal_hash", models.CharField(**HASH)),
        migrations.AddField(
            "audithead",
            "edge",
            models.TextField(blank=True, help_text="Roots of the tree's complete subtrees, the largest first."),
        ),
    ]
