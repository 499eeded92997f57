"""What stands around every page: brand, navigation by right, tenant, person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from observability.service_level import Standing, current_standing
from tenancy.choices import Scope
from tenancy.models import Membership, User
from tenancy.principals import Principal
from tenancy.sign_in import memberships_of


@dataclass(frozen=True)
class NavLink:
    label: str
    icon: str
    url: str
    current: str = ""  # for `aria-current`: "page" is this very page, "true" one that stands behind the link


# Label, icon, address name, scopes of which one is needed.
_DESK_LINKS: tuple[tuple[str, str, str, frozenset[Scope]], ...] = (
    ("Queue", "queue", "desk:queue", frozenset({Scope.REVIEW})),
    ("Labels", "eye", "desk:labels", frozenset({Scope.REVIEW})),
    ("Claims", "claims", "claims:list", frozenset({Scope.READ})),
    ("New claim", "upload", "claims:new", frozenset({Scope.WRITE})),
    ("Usage", "low", "usage", frozenset({Scope.SUPERVISE, Scope.ADMIN})),
    ("Calibration", "motion", "monitoring:calibration", frozenset({Scope.SUPERVISE, Scope.ADMIN})),
    ("Costs", "bar2", "costs:month", frozenset({Scope.ADMIN})),
    ("Model health", "low", "monitoring:drift", frozenset({Scope.SUPERVISE, Scope.ADMIN})),
)
# The same for the platform's operator.
_OPERATOR_LINKS: tuple[tuple[str, str, str, frozenset[Scope]], ...] = (
    ("Incidents", "urgent", "incidents:list", frozenset({Scope.OPS})),
)
# Pages without a link of their own, and the one under which people look for them.
_BEHIND = {
    "claims:access": "claims:list",
    "claims:detail": "claims:list",
    "costs:statement": "costs:month",
    "desk:claim": "desk:queue",
    "desk:label": "desk:labels",
    "desk:privacy": "desk:queue",
    "desk:version": "desk:queue",
    "incidents:one": "incidents:list",
    "incidents:report": "incidents:list",
    "monitoring:bias": "monitoring:drift",
    "monitoring:fraud-model": "monitoring:calibration",
    "monitoring:report": "monitoring:drift",
    "monitoring:reports": "monitoring:drift",
}


class Chrome:
    """Answers the templates' questions about who looks at the page; asks the database only when a page does."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def principal(self) -> Principal | None:
        return getattr(self._request, "principal", None)

    @cached_property
    def memberships(self) -> list[Membership]:
        user = self._request.user
        return memberships_of(user) if isinstance(user, User) else []

    @cached_property
    def membership(self) -> Membership | None:
        tenant_id = self.principal.tenant_id if self.principal else None
        return next((m for m in self.memberships if m.tenant_id == tenant_id), None)

    @cached_property
    def initials(self) -> str:
        """At most two letters that stand for the person."""
        words = str(self._request.user).replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def others(self) -> list[Membership]:
        """The person's other tenants."""
        return [m for m in self.memberships if m != self.membership]

    @cached_property
    def links(self) -> list[NavLink]:
        """Desk pages that this person may open."""
        if self.principal is None:
            return []
        pages = _DESK_LINKS if self.principal.tenant_id is not None else _OPERATOR_LINKS
        match = self._request.resolver_match
        here = match.view_name if match else ""
        section = _BEHIND.get(here, "")
        return [
            NavLink(label, icon, reverse(name), "page" if name == here else "true" if name == section else "")
            for label, icon, name, scopes in pages
            if self.principal.scopes & scopes
        ]

    @cached_property
    def standing(self) -> Standing | None:
        """The service level where it is not full, for those whose work depends on it: reviewers and operators."""
        if self.principal is None or not self.principal.scopes & {Scope.REVIEW, Scope.OPS}:
            return None
        now = current_standing()
        return None if now.is_full else now

    @cached_property
    def may_manage_keys(self) -> bool:
        return self.principal is not None and Scope.ADMIN in self.principal.scopes

    @cached_property
    def tools(self) -> list[NavLink]:
        """API documentation for everyone who is signed in, the administration for who operates the platform."""
        if self.principal is None:
            return []
        user = self._request.user
        found = [("API docs", "code", _address("api-docs"))]
        if isinstance(user, User) and (user.is_operator or user.is_superuser):
            found.append(("Administration", "settings", _address("admin:index")))
        return [NavLink(label, icon, url) for label, icon, url in found if url]


def chrome(request: HttpRequest) -> dict[str, Chrome]:
    """Context processor."""
    return {"chrome": Chrome(request)}


def _address(name: str) -> str:
    """Return the address, or nothing where an error page is drawn while the addresses cannot be read."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
