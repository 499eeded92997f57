import aiassist.types
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0005_link_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='assessment',
            name='fraud_model',
            field=models.CharField(default='scorecard-1', help_text='The version that made the score.', max_length=40),
        ),
        migrations.AddField(
            model_name='assessment',
            name='fraud_source',
            field=models.CharField(choices=[(aiassist.types.FraudSource['SCORECARD'], aiassist.types.FraudSource['SCORECARD']), (aiassist.types.FraudSource['TENANT_MODEL'], aiassist.types.FraudSource['TENANT_MODEL'])], default=aiassist.types.FraudSource['SCORECARD'], max_length=16),
        ),
    ]
