"""What jobs of the harness leave behind."""

from django.db import models


class FlowResult(models.Model):
    """One finished piece of work. There is no unique constraint on purpose: a second result must be seen."""

    job_ref = models.CharField(max_length=36)
    attempt = models.PositiveSmallIntegerField()
    written_at = models.DateTimeField()

    # Said aloud for the type checker, whose settings do not install this app.
    objects: "models.Manager[FlowResult]" = models.Manager()

    class Meta:
        app_label = "flow"

    def __str__(self) -> str:
        return self.job_ref
