"""Rows that are only ever added: the ORM's ways to change them are closed; triggers close the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from observability.errors import PlatformError
from tenancy.owned import Owned, TenantOwned, TenantQuerySet


class AppendOnly(PlatformError):
    """Something tried to change what is already history: a fault of ours, never of the caller."""

    code = "append_only"
    message = "These records are only ever added to."


class AppendOnlyQuerySet(TenantQuerySet[Owned]):
    """Refuses the paths past `Model.save`; the triggers would, with a less telling message."""

    refusal: ClassVar[type[AppendOnly]] = AppendOnly

    def update(self, **columns: Any) -> NoReturn:
        raise self.refusal

    def delete(self) -> NoReturn:
        raise self.refusal

    def bulk_create(self, objs: Iterable[Owned], *args: Any, **kwargs: Any) -> NoReturn:
        raise self.refusal  # it can be told to replace rows; one at a time is plain INSERT

    def bulk_update(self, objs: Iterable[Owned], *args: Any, **kwargs: Any) -> NoReturn:
        raise self.refusal

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise self.refusal


class AppendOnlyRow(TenantOwned):
    """Base of a model whose rows are inserted and then only read."""

    refusal: ClassVar[type[AppendOnly]] = AppendOnly

    class Meta(TenantOwned.Meta):
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise self.refusal
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise self.refusal
