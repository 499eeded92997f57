"""Columns of the vault, of legal hold and of what was erased; the readable ones go in 0013."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0010_restricted_claims_and_grants'),
        ('tenancy', '0009_erasure_journal_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='claim',
            name='claim_once_per_video_and_person',
        ),
        migrations.RemoveConstraint(
            model_name='videofile',
            name='video_once_per_tenant',
        ),
        migrations.AddField(
            model_name='claim',
            name='closed_at',
            field=models.DateTimeField(blank=True, help_text='Since when nothing is left to do; keeping ends.', null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='held_since',
            field=models.DateTimeField(blank=True, help_text='A legal hold: nothing of it is erased.', null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='hold_reason',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='media_removed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='sealed',
            field=models.TextField(blank=True, editable=False, help_text="What was told, under the subject's key: `told`."),
        ),
        migrations.AddField(
            model_name='claim',
            name='subject_key',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.vaultkey'),
        ),
        migrations.AddField(
            model_name='party',
            name='sealed',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='videofile',
            name='removed_at',
            field=models.DateTimeField(blank=True, help_text='The file is gone.', null=True),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(condition=models.Q(('closed_at__isnull', False), ('erased_at__isnull', True)), fields=['tenant', 'closed_at'], name='claim_retention'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.UniqueConstraint(condition=models.Q(('media_removed_at__isnull', True)), fields=('tenant', 'video', 'submitted_by'), name='claim_once_per_video_and_person'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('sealed', ''), models.Q(('erased_at__isnull', True), ('subject_key__isnull', False)), _connector='OR'), name='claim_sealed_has_key'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('held_since__isnull', True), ('erased_at__isnull', True), _connector='OR'), name='claim_hold_outranks_erasure'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), ('media_removed_at__isnull', False), _connector='OR'), name='claim_erased_has_no_media'),
        ),
        migrations.AddConstraint(
            model_name='videofile',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('tenant', 'sha256'), name='video_once_per_tenant'),
        ),
    ]
