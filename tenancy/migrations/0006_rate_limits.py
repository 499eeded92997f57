

import django.db.models.deletion
import observability.ids
import tenancy.scope
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0005_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedKey',
            fields=[
                ('key', models.CharField(max_length=250, primary_key=True, serialize=False)),
                ('count', models.BigIntegerField()),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='RateWindow',
            fields=[
                ('key', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('marks', models.BinaryField()),
                ('idle_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='apikey',
            name='requests_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text="Empty: the default rate. Never more than the tenant's tier allows.", null=True),
        ),
        migrations.CreateModel(
            name='SignInPlace',
            fields=[
                ('id', models.UUIDField(default=observability.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('place', models.CharField(max_length=64, unique=True)),
                ('last_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
