"""HTTPS behind a proxy: the redirect, HSTS, secure cookies, the certificate for development, the nginx file."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command

from tests.processes import ROOT

# Asks a server with production settings as a proxy on this machine would, and a stranger who claims to be one.
_ASK = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
PROXY = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
def told(address, **extra):
    answer = Client(headers={"host": "claims.example"}).get(address, **extra)
    return [answer.status_code, answer.headers.get("Location"), answer.headers.get("Strict-Transport-Security")]
print(json.dumps({
    "plain": told("/sign-in/?next=/desk/", **PROXY),
    "forwarded": told("/api/v1/tenant", **PROXY, HTTP_X_FORWARDED_PROTO="https"),
    "stranger": told("/api/v1/tenant", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_PROTO="https"),
    "health": told("/health/live", **PROXY),
    "cookies": [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
                settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_SAMESITE],
}))
"""
HSTS = "max-age=31536000; includeSubDomains; preload"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process with production settings answers."""
    folder = tmp_path_factory.mktemp("production")
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/none.sqlite3",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "FORCE_HTTPS": "true",
        "TRUSTED_PROXIES": "127.0.0.1",
        "ALLOWED_HOSTS": "claims.example",
        "LOG_FORMAT": "json",
    }
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", _ASK], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_plain_http_is_sent_to_https_with_the_same_address(production: Any) -> None:
    status, location, hsts = production["plain"]
    assert (status, location) == (301, "https://claims.example/sign-in/?next=/desk/")
    assert hsts is None, "browsers ignore it over plain HTTP, and it would be a lie"


def test_what_a_trusted_proxy_received_over_tls_is_answered_with_hsts(production: Any) -> None:
    status, _, hsts = production["forwarded"]
    assert (status, hsts) == (401, HSTS), "a stranger to the application, and no redirect any more"


def test_a_stranger_cannot_claim_to_be_the_proxy(production: Any) -> None:
    assert production["stranger"][0] == 301


def test_probes_inside_are_answered_without_tls(production: Any) -> None:
    assert production["health"][0] == 200


def test_cookies_go_over_tls_alone_and_not_to_scripts(production: Any) -> None:
    assert production["cookies"] == [True, True, True, "__Host-sessionid", "__Host-csrftoken", "Lax"]


def make_certificate(folder: Path, *more: str) -> dict[str, Any]:
    out = StringIO()
    call_command("dev_certificate", *more, "--folder", str(folder), "--json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_the_development_certificate_can_be_served_and_its_key_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    told = make_certificate(folder)
    key, certificate = Path(told["key"]), Path(told["certificate"])
    assert key.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)  # raises when key and certificate do not belong together
    parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert not parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_certificate_that_is_there_is_not_overwritten_by_chance(tmp_path: Path) -> None:
    told = make_certificate(tmp_path, "claims.test")
    before = Path(told["key"]).read_bytes()
    with pytest.raises(CommandError) as refusal:
        make_certificate(tmp_path)
    assert refusal.value.returncode == 1
    assert Path(told["key"]).read_bytes() == before
    make_certificate(tmp_path, "--force")
    assert Path(told["key"]).read_bytes() != before
    assert {path.name for path in tmp_path.iterdir()} == {"certificate.pem", "key.pem"}


NGINX = ROOT / "deploy" / "nginx.conf"


def directives() -> list[tuple[str, ...]]:
    """Return the directives of the nginx file; its blocks are balanced and each directive ends."""
    text = re.sub(r"#[^\n]*", "", NGINX.read_text())
    assert text.count("{") == text.count("}")
    depth, found = 0, []
    for piece in re.findall(r"[^;{}]+[;{]|\}", text):
        if piece == "}":
            depth -= 1
            assert depth >= 0
            continue
        depth += piece.endswith("{")
        found.append(tuple(piece[:-1].split()))
    assert depth == 0
    return found


def test_nginx_tells_the_application_what_the_settings_believe() -> None:
    found = directives()
    assert ("proxy_set_header", "X-Forwarded-Proto", "$scheme") in found
    assert ("proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for") in found
    assert ("proxy_set_header", "Host", "$host") in found
    assert ("proxy_request_buffering", "off") in found
    assert ("ssl_protocols", "TLSv1.2", "TLSv1.3") in found
    assert ("return", "308", "https://$host$request_uri") in found
    (largest,) = (int(words[1].removesuffix("m")) for words in found if words[0] == "client_max_body_size")
    assert largest > 500, "MAX_UPLOAD_SIZE_MB and what stands around the file"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    told = make_certificate(tmp_path)
    text = NGINX.read_text().replace("/etc/claimwright/tls/certificate.pem", told["certificate"])
    text = text.replace("/etc/claimwright/tls/key.pem", told["key"])
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {text} }}")
    done = subprocess.run(["nginx", "-t", "-c", str(whole)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
