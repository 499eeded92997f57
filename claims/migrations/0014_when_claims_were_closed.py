"""Claims decided before this count as closed now: their time of keeping begins late, never early."""

from django.db import migrations
from django.utils import timezone

_CLOSED = ["APPROVED", "REJECTED", "FAILED"]


def close_decided_claims(apps, schema_editor):
    claims = apps.get_model("claims", "Claim").objects.using(schema_editor.connection.alias)
    claims.filter(status__in=_CLOSED, closed_at__isnull=True).update(closed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("claims", "0013_readable_columns_are_gone")]
    operations = [migrations.RunPython(close_decided_claims, migrations.RunPython.noop)]
