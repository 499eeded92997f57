"""What the OpenAPI document says of every operation alike: credentials, errors, lists, idempotency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from config.http_errors import PROBLEM_TYPE
from tenancy.idempotency import HEADER, REPLAYED_HEADER, IdempotentCreate
from tenancy.listing import DEFAULT_LIMIT, MAX_LIMIT

Node = dict[str, Any]
_PREFIX = "/api/v1/"
_VERBS = ("get", "post", "put", "patch", "delete")
_PROBLEM: Node = {
    "type": "object",
    "description": "RFC 9457. Some codes carry more members, such as the winner's `decision_id`.",
    "properties": {
        "type": {"type": "string", "format": "uri", "example": "urn:claimwright:problem:not_found"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; made for programs.", "example": "not_found"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer of the field, `/` for the whole."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "code", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "additionalProperties": True,
}
_PROBLEM_CONTENT: Node = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS = {
    "400": "A field, parameter or the body is not acceptable.",
    "401": "The credential is missing, unknown, expired or revoked.",
    "403": "The credential does not allow this, or the named tenant is not its own.",
}
_RETRY_AFTER: Node = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
# draft-ietf-httpapi-ratelimit-headers, structured fields.
_RATE_HEADERS: Node = {
    "RateLimit-Policy": {
        "schema": {"type": "string", "example": '"default";q=60;w=60'},
        "description": "The limits that bind this request: q requests in any w seconds.",
    },
    "RateLimit": {
        "schema": {"type": "string", "example": '"default";r=59;t=60'},
        "description": "r requests are left; in t seconds the oldest counted one gives its unit back.",
    },
}
_TOO_MANY: Node = {
    "description": "Too many requests (`rate_limited`), or a quota is used up (`quota_exceeded`).",
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in (*_RATE_HEADERS, *_RETRY_AFTER)},
    "content": _PROBLEM_CONTENT,
}
_NOT_FOUND = "There is no such object (another tenant's object looks the same)."
_PAGE_PARAMETERS: tuple[Node, ...] = (
    {
        "in": "query",
        "name": "limit",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "description": "Items on the page.",
    },
    {
        "in": "query",
        "name": "cursor",
        "schema": {"type": "string"},
        "description": "`next_cursor` of the page before; bound to the tenant and to the filters.",
    },
)
_KEY_PARAMETER: Node = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": f"Makes a repeated request have one effect; a replayed answer says `{REPLAYED_HEADER}: true`.",
}
_TENANT_PARAMETER: Node = {
    "in": "header",
    "name": "X-Tenant-ID",
    "schema": {"type": "string"},
    "description": "Id or slug. Chooses among the tenants of the credential; another one is 403 `tenant_mismatch`.",
}


class ApiSchema(AutoSchema):
    """Marks creating operations, which the hook below then documents."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Node | None:
        operation: Node | None = super().get_operation(*args, **kwargs)
        if operation is not None and self.method == "POST" and isinstance(self.view, IdempotentCreate):
            operation.setdefault("parameters", []).append(_KEY_PARAMETER)
        return operation


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry hook has no types
    """A key in either of the two headers."""

    target_class = "tenancy.authentication.ApiKeyAuthentication"
    name = ["ApiKey", "Bearer"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[Node]:
        key = "An API key of a member of the tenant: `clm_live_…`."
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": key},
            {"type": "http", "scheme": "bearer", "description": key},
        ]


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry hook has no types
    """An access token, in the header that also takes keys."""

    target_class = "tenancy.authentication.AccessTokenAuthentication"
    name = "AccessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> Node:
        words = "An access token of `POST /token`, good for minutes."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry hook has no types
    """A signed-in browser."""

    target_class = "tenancy.authentication.Session"
    name = "Session"

    def get_security_definition(self, auto_schema: AutoSchema) -> Node:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in browser; writing needs the header `X-CSRFToken` too.",
        }


def only_the_api(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out what stands outside the versioned API."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(_PREFIX)]


def finish_schema(result: Node, generator: Any, request: Any, public: bool) -> Node:  # noqa: FBT001  # the library's
    """Give every operation what all of them have in common."""
    schemas: Node = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    result["components"] |= {"headers": {**_RATE_HEADERS, **_RETRY_AFTER}, "responses": {"TooMany": _TOO_MANY}}
    for path, operation in _operations(result):
        _add_parameters(operation, [_TENANT_PARAMETER, *(_PAGE_PARAMETERS if _is_list(operation, schemas) else ())])
        _add_refusals(operation, has_object="{" in path)
        _add_words(operation)
        _close_body(operation, schemas)
        # One scheme is enough; written as one requirement they would all be needed together.
        operation["security"] = [{name: []} for needed in operation.get("security", []) for name in needed]
    return result


def _operations(result: Node) -> Iterator[tuple[str, Node]]:
    for path, item in result.get("paths", {}).items():
        for verb in _VERBS:
            if verb in item:
                yield path, item[verb]


def _close_body(operation: Node, schemas: Node) -> None:
    """Say that a body with a member that is not described is refused, as every input of this API does."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if name:
            schemas[name]["additionalProperties"] = False


def _add_words(operation: Node) -> None:
    """Make a one-line description the summary, and an address's first word a readable tag."""
    if "summary" not in operation and "description" in operation:
        operation["summary"], _, rest = operation.pop("description").partition("\n")
        operation.update({"description": rest.strip()} if rest.strip() else {})
    operation["tags"] = [tag[:1].upper() + tag[1:].replace("-", " ") for tag in operation.get("tags", [])]


def _is_list(operation: Node, schemas: Node) -> bool:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return "next_cursor" in schemas.get(reference.rpartition("/")[2], {}).get("properties", {})


def _add_parameters(operation: Node, parameters: list[Node]) -> None:
    """Add parameters that the operation does not describe itself; the shared description wins for paging."""
    shared = {(parameter["in"], parameter["name"]) for parameter in parameters}
    own = [p for p in operation.get("parameters", []) if (p["in"], p["name"]) not in shared]
    operation["parameters"] = sorted([*own, *parameters], key=lambda p: (p["in"] != "path", p["in"], p["name"]))


def _add_refusals(operation: Node, *, has_object: bool) -> None:
    """Make every refusal a problem document; `default` covers the ones that any operation can meet (406, 503…)."""
    responses: Node = operation.setdefault("responses", {})
    for status, description in {**_REFUSALS, **({"404": _NOT_FOUND} if has_object else {})}.items():
        responses.setdefault(status, {"description": description})
    responses["default"] = {"description": "Any other refusal or failure.", "content": _PROBLEM_CONTENT}
    for status, response in responses.items():
        if status.isdigit() and int(status) >= 400:
            examples = response.get("content", {}).get("application/json", {}).get("examples")
            media = {**_PROBLEM_CONTENT[PROBLEM_TYPE], **({"examples": examples} if examples else {})}
            response["content"] = {PROBLEM_TYPE: media}
        if status.isdigit() and int(status) < 300:
            response.setdefault("headers", {}).update(_named(_RATE_HEADERS))
    responses["429"] = {"$ref": "#/components/responses/TooMany"}


def _named(headers: Node) -> Node:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
