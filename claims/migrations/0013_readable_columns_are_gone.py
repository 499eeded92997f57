"""Personal data stands in the vault alone from here on."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0012_seal_personal_data'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='claim',
            name='description',
        ),
        migrations.RemoveField(
            model_name='claim',
            name='file_name',
        ),
        migrations.RemoveField(
            model_name='claim',
            name='loss_location',
        ),
        migrations.RemoveField(
            model_name='claim',
            name='metadata',
        ),
        migrations.RemoveField(
            model_name='claim',
            name='vehicle_plate',
        ),
        migrations.RemoveField(
            model_name='party',
            name='account',
        ),
        migrations.RemoveField(
            model_name='party',
            name='email',
        ),
        migrations.RemoveField(
            model_name='party',
            name='name',
        ),
        migrations.RemoveField(
            model_name='party',
            name='phone',
        ),
    ]
