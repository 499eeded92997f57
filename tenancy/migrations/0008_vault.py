"""Keys of the personal-data vault, and the journal of what was erased."""

import django.db.models.deletion
import observability.ids
import tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0007_quotas'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('subject_id', models.UUIDField(help_text='The claim whose personal data was erased.')),
                ('key_id', models.UUIDField(help_text='The data key that was destroyed.', null=True)),
                ('job_id', models.UUIDField(help_text='The job that removes the files.')),
                ('erased_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(default=tenancy.scope.default_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'subject_id'), name='erasure_once')],
            },
        ),
        migrations.CreateModel(
            name='VaultKey',
            fields=[
                ('id', models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('SUBJECT', 'Personal data of one claim'), ('INDEX', 'Comparing identifiers within a tenant')], max_length=8)),
                ('wrapped', models.CharField(blank=True, max_length=120)),
                ('master_version', models.PositiveIntegerField(help_text='The master key that wraps it.')),
                ('created_at', models.DateTimeField()),
                ('destroyed_at', models.DateTimeField(blank=True, null=True)),
                ('tenant', models.ForeignKey(default=tenancy.scope.default_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('wrapped', ''), _negated=True), fields=['master_version', 'id'], name='vault_key_by_master')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('purpose', 'INDEX')), fields=('tenant',), name='vault_key_one_index'), models.CheckConstraint(condition=models.Q(models.Q(('destroyed_at__isnull', True), models.Q(('wrapped', ''), _negated=True)), models.Q(('destroyed_at__isnull', False), ('wrapped', '')), _connector='OR'), name='vault_key_destroyed_is_gone')],
            },
        ),
    ]
