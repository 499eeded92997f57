from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import RequestFactory
from django_filters import FilterSet, IsoDateTimeFilter, NumberFilter

from observability.errors import InvalidInput
from tenancy.errors import UnknownParameter
from tenancy.listing import ListParameters, apply_filters, list_parameters, refuse_parameters
from tenancy.models import Tenant


def read(query: str) -> ListParameters:
    return list_parameters(RequestFactory().get(f"/x?{query}"), {"status", "q"})


def test_list_parameters_has_defaults() -> None:
    assert read("") == ListParameters(limit=25, cursor=None, filters={})


def test_list_parameters_reads_page_and_filters() -> None:
    assert read("limit=100&cursor=abc&q=a%20b&status=") == ListParameters(100, "abc", {"q": "a b"})


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "abc", "", "9" * 5000, "%D9%A1", "+5", "1e1"])
def test_list_parameters_refuses_a_limit_out_of_range(limit: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(f"limit={limit}")
    assert caught.value.problems[0].pointer == "/limit"


@pytest.mark.parametrize("query", ["page=2", "status__regex=x", "_connector=OR", "tenant_id=1", "Q=x", "format=json"])
def test_list_parameters_refuses_what_the_list_does_not_know(query: str) -> None:
    with pytest.raises(UnknownParameter):
        read(query)


@pytest.mark.parametrize("value", ["%00", "a%0Ab", "%ED%A0%80", "%FF", "x" * 3000])
def test_list_parameters_refuses_texts_that_no_column_holds(value: str) -> None:
    with pytest.raises(InvalidInput):
        read(f"q={value}")


def test_list_parameters_refuses_a_repeated_parameter() -> None:
    with pytest.raises(InvalidInput):
        read("q=a&q=b")


def test_refuse_parameters_lets_none_pass() -> None:
    refuse_parameters(RequestFactory().get("/x"))
    with pytest.raises(UnknownParameter):
        refuse_parameters(RequestFactory().get("/x?limit=1"))


class TenantFilter(FilterSet):
    since = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    version = NumberFilter(field_name="version")

    class Meta:
        model = Tenant
        fields: list[str] = []


@pytest.mark.parametrize(("name", "value"), [("since", "yesterday"), ("version", "abc"), ("since", "2026-13-01")])
def test_apply_filters_names_the_bad_value(db: None, name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        apply_filters(TenantFilter, queryset=Tenant.objects.all(), filters={name: value})
    assert [p.pointer for p in caught.value.problems] == [f"/{name}"]


def test_apply_filters_narrows_the_rows(acme: Tenant) -> None:
    filters = {"since": quote("2020-01-01T00:00:00+00:00", safe=":+")}
    assert apply_filters(TenantFilter, queryset=Tenant.objects.all(), filters=filters).get() == acme
