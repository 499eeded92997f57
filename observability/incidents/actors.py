"""Who acts on an incident, as plain strings: this floor knows no people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """`id` is the person's, key's or machine's own; `name` is copied into the timeline."""

    id: str
    name: str


SYSTEM = Actor("system", "system")
