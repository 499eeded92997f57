

import django.db.models.deletion
import observability.ids
import tenancy.scope
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0006_rate_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='custom_assessments_per_month',
            field=models.PositiveIntegerField(blank=True, help_text='For the tier Enterprise only; empty: unlimited.', null=True),
        ),
        migrations.AddField(
            model_name='tenant',
            name='custom_storage_gb',
            field=models.PositiveIntegerField(blank=True, help_text='For the tier Enterprise only; empty: unlimited.', null=True),
        ),
        migrations.CreateModel(
            name='QuotaCounter',
            fields=[
                ('id', models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('resource', models.CharField(choices=[('ASSESSMENTS', 'Assessments'), ('STORAGE_BYTES', 'Stored bytes')], max_length=16)),
                ('period', models.DateField()),
                ('used', models.BigIntegerField(default=0)),
                ('reserved', models.BigIntegerField(default=0)),
                ('tenant', models.ForeignKey(default=tenancy.scope.default_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'resource', 'period'), name='quota_counter_once'), models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('used__gte', 0)), name='quota_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='QuotaHold',
            fields=[
                ('id', models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('period', models.DateField()),
                ('assessments', models.PositiveIntegerField()),
                ('storage_bytes', models.BigIntegerField()),
                ('expires_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(default=tenancy.scope.default_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['expires_at'], name='quota_hold_expiry')],
            },
        ),
    ]
