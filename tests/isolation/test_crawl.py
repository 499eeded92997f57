"""Nobody at Acme can see, change or tell from thin air anything of Borealis, at any address, with any verb."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.isolation.crawl import FIXED, OBJECTS, addresses, ask, clients_of, differences, told_by_words, told_in_lists
from tests.isolation.world import make_world, rows_of

pytestmark = pytest.mark.django_db
# Ends what is the person's own and says nothing either way; that nobody else's ends is seen by its rows.
SILENT = ["/account/tokens/<uuid:family_id>/end/"]


def test_every_parameter_of_an_address_is_listed() -> None:
    """A new address with a new kind of object is crawled once `OBJECTS` and the world know the kind."""
    named = {name for address in addresses() for name in address.parameters}
    assert named - OBJECTS.keys() - FIXED.keys() == set()
    assert OBJECTS.keys() - named == set()


def test_another_tenants_objects_are_as_good_as_none() -> None:
    world = make_world()
    before = rows_of(world.owner.tenant)
    assert differences(world, clients_of(world)) == []
    assert rows_of(world.owner.tenant) == before


def test_no_list_tells_of_another_tenant() -> None:
    world = make_world()
    assert told_in_lists(world, clients_of(world)) == []


def test_the_owner_finds_each_object_where_it_is_looked_for() -> None:
    """The crawl proves nothing at an address where the objects would not be found anyway."""
    world = make_world()
    api, browser = world.owner.api(), world.owner.browser()
    blind = []
    for address in addresses():
        if not address.kind or address.template.startswith("/admin/"):
            continue
        client: Any = api if address.template.startswith("/api/") else browser
        for verb in ("get", "put", "post", "delete"):
            theirs = ask(client, verb, address, world.ids, world)
            if theirs != ask(client, verb, address, {**world.ids, address.kind: uuid4()}, world):
                break
        else:
            blind.append(address.template)
    assert blind == SILENT


def test_words_that_name_another_tenants_object_are_as_good_as_none() -> None:
    world = make_world()
    before = rows_of(world.owner.tenant)
    assert told_by_words(world) == []
    assert rows_of(world.owner.tenant) == before
