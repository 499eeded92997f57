"""Readable personal data moves into the vault, in batches of their own; the reverse writes it back.

Safe to start again: what is sealed is left out. Needs the master key (`VAULT_MASTER_KEY`) where there are claims.
"""

from django.conf import settings
from django.db import migrations, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from claims.link_keys import digests_of
from claims.models.told import Contact, Told, claim_place, party_place, record_of
from tenancy.choices import KeyPurpose
from tenancy.vault import BlindIndex, open_values, seal_values, unwrap, wrap_new_key, wrapped_key

_BATCH = 500
_TOLD = ("vehicle_plate", "loss_location", "description", "metadata", "file_name")
_CONTACT = ("name", "email", "phone", "account")
# How digests were made before, under the secret key.
_OLD_SALT = "claims.link_keys.v1"


class _OldIndex:
    def __init__(self, tenant_id):
        self._tenant_id = tenant_id

    def digest(self, kind, text):
        return salted_hmac(f"{_OLD_SALT}.{self._tenant_id}.{kind}", text, algorithm="sha256").hexdigest()


def seal_everything(apps, schema_editor):
    models = _models(apps, schema_editor)
    for claims in _batches(models["Claim"].filter(subject_key__isnull=True)):
        with transaction.atomic(using=schema_editor.connection.alias):
            for claim in claims:
                _seal_claim(models, claim, index=_index(models, claim.tenant_id))


def open_everything(apps, schema_editor):
    models = _models(apps, schema_editor)
    for claims in _batches(models["Claim"].filter(subject_key__isnull=False).select_related("subject_key")):
        with transaction.atomic(using=schema_editor.connection.alias):
            for claim in claims:
                _open_claim(models, claim)


def _models(apps, schema_editor):
    alias = schema_editor.connection.alias
    rows = {name: apps.get_model("claims", name).objects.using(alias) for name in ("Claim", "Party", "LinkKey")}
    return rows | {"VaultKey": apps.get_model("tenancy", "VaultKey").objects.using(alias)}


def _batches(claims):
    last = None
    while batch := list((claims if last is None else claims.filter(id__gt=last)).order_by("id")[:_BATCH]):
        yield batch
        last = batch[-1].id


def _insert_key(models, tenant_id, purpose):
    key, plain = wrap_new_key(tenant_id=tenant_id, purpose=purpose)
    row = models["VaultKey"].create(
        id=key.key_id,
        tenant_id=tenant_id,
        purpose=purpose,
        wrapped=key.wrapped,
        master_version=key.master_version,
        created_at=timezone.now(),
    )
    return row, plain


def _index(models, tenant_id):
    row = models["VaultKey"].filter(tenant_id=tenant_id, purpose=KeyPurpose.INDEX).first()
    plain = unwrap(wrapped_key(row)) if row else _insert_key(models, tenant_id, KeyPurpose.INDEX)[1]
    return BlindIndex(tenant_id, plain)


def _seal_claim(models, claim, *, index):
    row, plain = _insert_key(models, claim.tenant_id, KeyPurpose.SUBJECT)
    told = Told(**{name: getattr(claim, name) for name in _TOLD})
    place = claim_place(claim_id=claim.id, tenant_id=claim.tenant_id)
    sealed = seal_values(plain, record_of(told), place=place) if record_of(told) else ""
    contacts = []
    for party in models["Party"].filter(claim_id=claim.id).order_by("id"):
        contact = Contact(**{name: getattr(party, name) for name in _CONTACT})
        contacts.append(contact)
        place = party_place(party_id=party.id, tenant_id=claim.tenant_id)
        values = {name: "" for name in _CONTACT}
        if record_of(contact):
            values["sealed"] = seal_values(plain, record_of(contact), place=place)
        models["Party"].filter(id=party.id).update(**values)
    blank = {name: "" for name in _TOLD} | {"metadata": {}}
    models["Claim"].filter(id=claim.id).update(subject_key_id=row.id, sealed=sealed, **blank)
    _write_links(models, claim, told, contacts[0] if contacts else Contact(), index)


def _open_claim(models, claim):
    key = claim.subject_key
    told, contacts = Told(), []
    if not key.destroyed_at:
        plain = unwrap(wrapped_key(key))
        if claim.sealed:
            told = Told(**open_values(plain, claim.sealed, place=claim_place(claim_id=claim.id, tenant_id=claim.tenant_id)))
        for party in models["Party"].filter(claim_id=claim.id).order_by("id"):
            place = party_place(party_id=party.id, tenant_id=claim.tenant_id)
            contact = Contact(**open_values(plain, party.sealed, place=place)) if party.sealed else Contact()
            contacts.append(contact)
            values = {name: getattr(contact, name) for name in _CONTACT}
            models["Party"].filter(id=party.id).update(sealed="", **values)
    values = {name: getattr(told, name) for name in _TOLD}
    models["Claim"].filter(id=claim.id).update(subject_key=None, sealed="", **values)
    models["VaultKey"].filter(id=key.id).delete()
    _write_links(models, claim, told, contacts[0] if contacts else Contact(), _OldIndex(claim.tenant_id))


def _write_links(models, claim, told, contact, index):
    models["LinkKey"].filter(claim_id=claim.id).delete()
    for kind, digest in digests_of(told, contact, index=index).items():
        models["LinkKey"].create(tenant_id=claim.tenant_id, claim_id=claim.id, kind=kind, digest=digest)


class Migration(migrations.Migration):
    atomic = False  # each batch commits by itself
    dependencies = [
        ("claims", "0011_vault_columns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(seal_everything, open_everything)]
