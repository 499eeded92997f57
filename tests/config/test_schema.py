"""The OpenAPI document is the committed one, is valid, and says the truth about every address."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.people import Person

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = {"/api/v1/schema", "/api/v1/docs", "/api/v1/redoc"}


@pytest.fixture(scope="module")
def generated() -> str:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def schema(generated: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(generated)
    return document


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, operation) for path, item in schema["paths"].items() for verb, operation in item.items()]


def test_the_committed_document_is_the_generated_one(generated: str) -> None:
    committed = (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
    assert committed == generated, "run: manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn"


def addresses(patterns: list[Any], before: str = "/") -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            for name in pattern.pattern.converters:
                for kind in ("uuid", "str", "int"):
                    route = route.replace(f"<{kind}:{name}>", f"{{{name}}}")
            found.add(route)
    return found


def test_every_address_of_the_api_is_documented_once(schema: dict[str, Any]) -> None:
    routed = {a for a in addresses(get_resolver().url_patterns) if a.startswith("/api/v1/")} - DOCUMENTS
    assert routed == set(schema["paths"])


def test_every_operation_tells_its_refusals_as_problem_documents(schema: dict[str, Any]) -> None:
    for path, verb, operation in operations(schema):
        responses = operation["responses"]
        assert {"400", "401", "403", "default"} <= set(responses), (path, verb)
        assert "{" not in path or "404" in responses, (path, verb)
        for status, named in responses.items():
            shared = named.get("$ref", "").rpartition("/")[2]
            response = schema["components"]["responses"][shared] if shared else named
            if status == "default" or int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (path, verb, status)


def test_every_operation_takes_each_credential_alone(schema: dict[str, Any]) -> None:
    schemes = ["ApiKey", "Bearer", "AccessToken", "Session"]
    assert set(schema["components"]["securitySchemes"]) == set(schemes)
    for path, verb, operation in operations(schema):
        wanted: list[dict[str, list[str]]] = (
            [] if path.startswith("/api/v1/token") else [{name: []} for name in schemes]
        )
        assert operation["security"] == wanted, (path, verb)


def parameter_names(schema: dict[str, Any], path: str, verb: str) -> list[str]:
    return [parameter["name"] for parameter in schema["paths"][path][verb].get("parameters", [])]


def test_lists_and_creating_posts_have_their_parameters(schema: dict[str, Any]) -> None:
    assert parameter_names(schema, "/api/v1/api-keys", "get") == ["X-Tenant-ID", "cursor", "limit"]
    assert "Idempotency-Key" in parameter_names(schema, "/api/v1/api-keys", "post")
    assert "Idempotency-Key" in parameter_names(schema, "/api/v1/claims/upload", "post")
    for path, verb, operation in operations(schema):
        names = parameter_names(schema, path, verb)
        assert len(names) == len(set(names)), (path, verb)
        assert operation["operationId"], (path, verb)


def validator_of(schema: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/components/schemas/{name}"})


def test_a_problem_is_as_documented(schema: dict[str, Any], client: Client, ada: Person) -> None:
    for answer in (client.get("/api/v1/tenant"), ada.api().get("/api/v1/api-keys"), client.get("/api/v1/nowhere")):
        validator_of(schema, "Problem").validate(answer.json())


def test_the_tenant_and_its_keys_are_as_documented(schema: dict[str, Any], adam: Person) -> None:
    api = adam.api()
    validator_of(schema, "TenantAnswer").validate(api.get("/api/v1/tenant").json())
    made = api.post("/api/v1/api-keys", {"name": "x", "scopes": ["read"]}, format="json").json()
    validator_of(schema, "IssuedKeyAnswer").validate(made)
    strict = {**schema["components"]["schemas"]["IssuedKeyAnswer"], "additionalProperties": False}
    assert set(made) == set(strict["properties"]) == set(strict["required"])
    validator_of(schema, "AuditVerification").validate(api.get("/api/v1/audit/verify").json())


def test_the_document_is_public_and_cached(client: Client, db: None) -> None:
    first = client.get("/api/v1/schema")
    assert first.status_code == 200 and first.headers["Content-Type"].startswith("application/vnd.oai.openapi")
    assert yaml.safe_load(first.content)["paths"]
    assert client.get("/api/v1/schema", headers={"Accept": "application/json"}).json()["openapi"]
    assert "max-age" in first.headers["Cache-Control"]
    assert client.get("/api/v1/schema", headers={"X-API-Key": "wrong"}).status_code == 200


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_the_viewers_bring_everything_from_here(client: Client, db: None, page: str) -> None:
    answer = client.get(f"/api/v1/{page}")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "http://" not in text and "https://" not in text and "<style" not in text
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "script-src 'self'" in policy
    script = client.get(f"/api/v1/{page}?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert b"cdn.redoc.ly" not in script.content


def test_redocs_empty_style_is_allowed_on_its_page_alone(client: Client, db: None) -> None:
    policies = {page: client.get(page).headers["Content-Security-Policy"] for page in ("/api/v1/redoc", "/api/v1/docs")}
    assert "sha256-47DEQpj8" in policies["/api/v1/redoc"]
    assert "sha256" not in policies["/api/v1/docs"]
