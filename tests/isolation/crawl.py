"""Every address of the site, from the resolver, asked for another tenant's objects and for ones that nobody has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from claims.models import Claim
from tenancy.scope import tenant_scope
from tests.isolation.world import World

NOT_FOUND, NO_SUCH_VERB = 404, 405
VERBS = ("get", "post", "put", "patch", "delete")
# What each parameter of an address names: a kind of object of `World.ids`, or a fixed value that names no row.
OBJECTS = {
    "budget_id": "budget",
    "claim_id": "claim",
    "delivery_id": "delivery",
    "event_id": "event",
    "evidence_id": "evidence",
    "family_id": "tokens",
    "grant_id": "grant",
    "id": "user",
    "identity_id": "identity",
    "key_id": "key",
    "label_id": "label",
    "object_id": "claim",
    "report_id": "report",
    "session_id": "session",
    "task_id": "task",
    "tenant_id": "tenant",
    "webhook_id": "webhook",
}
FIXED = {
    "alert_id": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22",
    "app_label": "claims",
    "content_type_id": "1",
    "month": "2026-11",
    "job_id": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22",  # of a dead letter: the operator's
    "name": "openai",
    "number": "1",
    "position": "1",
    "provider_id": "nobodys",
    "url": "x",
    "version": "1",
}
# Words without which an address would refuse before it looks for the object.
WORDS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "decision"): {"decision": "APPROVE", "reasoning": "Seen.", "assessment_id": "{assessment}"},
    ("put", "lease"): {"lease_token": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"},
    ("delete", "lease"): {"lease_token": "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"},
    ("post", "label"): {"severity": "HIGH"},
    ("post", "restriction"): {"reason": "Seen."},
    ("post", "erase"): {"reason": "Seen."},
    ("put", "legal-hold"): {"held": True, "reason": "Seen."},
    ("post", "review"): {"decision": "APPROVE", "reasoning": "Seen.", "assessment_id": "{assessment}"},
}
# Bodies that name an object: address, words.
REFERENCES: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/api-keys", {"name": "k", "scopes": ["read"], "user_id": "{user}"}),
    ("/api/v1/run/claims", {"claim_ids": ["{claim}"]}),
    ("/api/v1/reviews/{own}/decision", {"decision": "APPROVE", "reasoning": "x", "assessment_id": "{assessment}"}),
]
_NEW = ("X-Request-ID", "Expires", "RateLimit")  # in every answer
_MESSAGES = "messages"
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
_TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value|hx-headers)=(["\']).*?\2')


@dataclass(frozen=True)
class Address:
    template: str

    @property
    def parameters(self) -> list[str]:
        return [plain or named for plain, named in _PARAMETER.findall(self.template)]

    @property
    def kinds(self) -> list[str]:
        """The kinds of object that it names, the one that it is about last."""
        return [OBJECTS[name] for name in self.parameters if name in OBJECTS]

    @property
    def kind(self) -> str:
        """The kind of object that it is about, or nothing."""
        return self.kinds[-1] if self.kinds else ""

    @property
    def last_word(self) -> str:
        words = [word for word in self.template.strip("/").split("/") if "<" not in word]
        return words[-1].removesuffix("s") if words[-1] == "labels" else words[-1]

    def at(self, ids: Mapping[str, UUID]) -> str:
        def filled(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return FIXED[name] if name in FIXED else str(ids[OBJECTS[name]])

        return _PARAMETER.sub(filled, self.template)


def addresses() -> list[Address]:
    """Return every address of the resolver."""
    return sorted((Address(found) for found in _walk(get_resolver().url_patterns)), key=lambda a: a.template)


def _walk(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route


@dataclass(frozen=True)
class Answer:
    """What a person can tell one answer from another by."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


def ask(client: Client, verb: str, address: Address, ids: Mapping[str, UUID], world: World) -> Answer:
    """Return the answer with the asked ids and what is new in every answer taken out."""
    words = {
        name: value.format(assessment=world.ids["assessment"]) if isinstance(value, str) else value
        for name, value in WORDS.get((verb, address.last_word), {}).items()
    }
    client.cookies.pop(_MESSAGES, None)  # of the answer before
    options: dict[str, Any] = {"format": "json"} if isinstance(client, APIClient) and verb != "get" else {}
    answer: Any = getattr(client, verb)(address.at(ids), words if verb != "get" else None, **options)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content

    def plain(text: str) -> str:
        text = text.replace(answer.headers.get("X-Request-ID", "none"), "REQUEST")
        for kind in address.kinds:
            text = text.replace(str(ids[kind]), "ID").replace(ids[kind].hex, "ID")
        return text

    told = [(name, plain(value)) for name, value in answer.headers.items() if name not in _NEW]
    if _MESSAGES in answer.cookies:  # what the next page will say
        told.append((_MESSAGES, plain(answer.cookies[_MESSAGES].value)))
    headers = tuple(sorted(told))
    return Answer(answer.status_code, headers, _TOKEN.sub("TOKEN", plain(body.decode("utf-8", "replace"))))


def nobodys_ids(world: World) -> dict[str, UUID]:
    return {kind: uuid4() for kind in world.ids}


def differences(world: World, clients: dict[str, Client]) -> list[str]:
    """Return where Borealis's object is answered for otherwise than one that nobody has.

    Each address with each verb for the kind of object that it is for, and a look for every other kind by who may do
    most. The operator's pages refuse a tenant's people before they look for anything, so one browser tries them.
    """
    found = []
    for address in addresses():
        for name, client in clients.items() if address.kind else ():
            operators = address.template.startswith("/admin/")
            if address.template.startswith("/api/") != isinstance(client, APIClient):
                continue
            if operators and name != "admin by browser":
                continue
            for verb in VERBS[:1] if operators else VERBS:
                every_kind = verb == "get" and name.startswith("admin") and not operators
                for kind in _told_apart(client, verb, address, world, every_kind=every_kind):
                    found.append(f"{name}: {verb} {address.template} for another tenant's {kind}")
    return found


def _told_apart(client: Client, verb: str, address: Address, world: World, *, every_kind: bool) -> Iterator[str]:
    """Yield the kinds of object of Borealis that the answer gives away."""
    nobodys = nobodys_ids(world)
    unknown = ask(client, verb, address, nobodys, world)
    if unknown.status == NO_SUCH_VERB:  # said before anything is looked for
        return
    theirs = ask(client, verb, address, world.ids, world)
    if theirs != unknown:  # once more: a new minute writes to the session, which shows in the headers
        unknown, theirs = ask(client, verb, address, nobodys, world), ask(client, verb, address, world.ids, world)
    if theirs != unknown:
        yield f"{address.kind} ({theirs.status} {dict(theirs.headers)}, not {unknown.status} {dict(unknown.headers)})"
    if len(address.kinds) > 1:  # theirs below one of Acme's own
        below = {**world.own_ids, address.kind: world.ids[address.kind]}
        if ask(client, verb, address, below, world) != ask(
            client, verb, address, {**world.own_ids, address.kind: nobodys[address.kind]}, world
        ):
            yield f"{address.kind}, below an own object"
    if every_kind and unknown.status == NOT_FOUND:
        for kind, value in world.ids.items():
            if ask(client, verb, address, dict.fromkeys(world.ids, value), world) != unknown:
                yield kind


def clients_of(world: World) -> dict[str, Client]:
    """Return the ways in: by key and by browser, as who may do most and as a claimant's side."""
    people = {"admin": world.admin, "client": world.client}
    return {
        f"{name} by {way}": person.api() if way == "key" else person.browser()
        for name, person in people.items()
        for way in ("key", "browser")
    }


def told_in_lists(world: World, clients: dict[str, Client]) -> list[str]:
    """Return the lists and summaries that say anything of Borealis."""
    found = []
    for address in addresses():
        for name, client in clients.items():
            by_key, operators = address.template.startswith("/api/"), address.template.startswith("/admin/")
            if address.kind or by_key != isinstance(client, APIClient) or (operators and name != "admin by browser"):
                continue
            answer: Any = client.get(address.at({}))
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            found += [
                f"{name}: {address.template} tells {what}" for what in world.told_by(body.decode("utf-8", "replace"))
            ]
    return found


def told_by_words(world: World) -> list[str]:
    """Return the addresses that take another tenant's object, named in a body, otherwise than one that nobody has."""
    with tenant_scope(world.admin.tenant.id):
        own = Claim.objects.get(claim_number="acme-1")
    api = world.admin.api()

    def answer(address: str, words: dict[str, Any], ids: Mapping[str, UUID]) -> tuple[int, str]:
        text = json.dumps(words)
        for kind, value in ids.items():
            text = text.replace(f"{{{kind}}}", str(value))
        found = api.post(address.format(own=own.id), json.loads(text), format="json")
        told = found.content.decode().replace(found.headers["X-Request-ID"], "REQUEST")
        for value in ids.values():
            told = told.replace(str(value), "ID")
        return found.status_code, told

    nobodys = nobodys_ids(world)
    return [
        f"post {address} takes another tenant's object"
        for address, words in REFERENCES
        if answer(address, words, world.ids) != answer(address, words, nobodys)
    ]
