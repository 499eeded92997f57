from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="FlowResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("job_ref", models.CharField(max_length=36)),
                ("attempt", models.PositiveSmallIntegerField()),
                ("written_at", models.DateTimeField()),
            ],
        ),
    ]
