"""Each role's rights at every address, against the table that people have read and agreed to."""

from __future__ import annotations

import os

import pytest

from tests.house.matrix import GOLDEN, ROLES, addresses, roles_let_in, signed_in_everyone

_HEAD = (
    f"# address: verb and the roles that it lets in, of {', '.join(ROLES)}.\n"
    "# Every other role gets 403 or the sign-in page, a stranger 401; an address with none is for superusers alone.\n"
)


@pytest.mark.django_db
def test_every_address_lets_in_exactly_the_roles_of_the_table() -> None:
    """`REWRITE_PERMISSIONS=1` writes the table anew; whoever does so reads the difference."""
    everyone = signed_in_everyone()
    found = [_line(address.route, roles_let_in(address, everyone)) for address in addresses()]
    if os.environ.get("REWRITE_PERMISSIONS"):
        GOLDEN.write_text(_HEAD + "\n".join(found) + "\n", encoding="utf-8")
    agreed = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert found == agreed


def _line(route: str, rights: dict[str, list[str]]) -> str:
    return f"/{route}: " + ("; ".join(f"{verb} {' '.join(roles)}" for verb, roles in rights.items()) or "-")
