"""``manage.py dev_certificate``: a self-signed certificate to try HTTPS on one's own machine, never for production."""

from __future__ import annotations

import ipaddress
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

_FAILED = 1
# Browsers refuse certificates that live longer (CA/Browser forum ballot SC-081, from March 2026: 200 days).
_DAYS = 199
_HOSTS = ("localhost", "127.0.0.1", "::1")


class Command(BaseCommand):
    help = "Writes a self-signed certificate and its key for development. Exit code: 0 ok, 1 files are there already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hosts", nargs="*", default=list(_HOSTS), metavar="HOST", help="names and addresses")
        parser.add_argument("--folder", type=Path, default=settings.DATA_DIR / "tls", metavar="DIR")
        parser.add_argument("--force", action="store_true", help="replace what is there")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
        if not options["force"] and (certificate_path.exists() or key_path.exists()):
            raise CommandError(f"{folder}: there is one already (--force replaces it)", returncode=_FAILED)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, options["hosts"])
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(key_path, _key_text(key), mode=0o600)
        _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        told = {"certificate": str(certificate_path), "key": str(key_path), "days": _DAYS, "hosts": options["hosts"]}
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(f"{certificate_path}\n{key_path} (for its owner alone)")
        self.stdout.write(f"Good for {_DAYS} days, for {', '.join(options['hosts'])}. For development only.")


def _certificate(key: ec.EllipticCurvePrivateKey, hosts: list[str]) -> x509.Certificate:
    now = timezone.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write beside and rename: nobody sees half a file, and the key is closed to others from its first byte on."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
