"""Jobs that were dead before there were letters get theirs. Runs outside any tenant's scope, where all jobs are seen."""

from django.db import migrations

from observability.ids import new_id
from observability.masking import mask_value

_BATCH = 500


def write_letters(apps, schema_editor):
    jobs = apps.get_model("observability", "Job").objects.filter(state="DEAD", letters=None)
    letters = apps.get_model("observability", "DeadLetter").objects
    written = []
    for job in jobs.iterator(chunk_size=_BATCH):
        ended_at = job.finished_at or job.started_at or job.created_at
        written.append(
            letters.model(
                id=new_id(),
                job_id=job.id,
                tenant_ref=job.tenant_ref,
                kind=job.kind,
                arguments=mask_value(job.arguments),
                reason_code=job.error_code or "worker_lost",
                traceback=job.error_detail,
                attempts=job.attempts,
                first_failed_at=min(job.started_at or ended_at, ended_at),
                last_failed_at=ended_at,
            )
        )
    letters.bulk_create(written, batch_size=_BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0008_dead_letters"),
    ]

    operations = [
        migrations.RunPython(write_letters, migrations.RunPython.noop),
    ]
