"""Forms of the tenancy pages: what fields there are; the services judge."""

from __future__ import annotations

from django import forms

from tenancy.choices import Scope

_LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "No end"))


class KeyForm(forms.Form):
    """A new API key. `holders` are the ids and names of who may hold it: the administrator, or a client."""

    name = forms.CharField(max_length=80)
    scopes = forms.MultipleChoiceField(choices=())
    days = forms.ChoiceField(choices=_LIFETIMES, required=False, initial="90")
    holder = forms.ChoiceField(choices=())

    def __init__(
        self, *args: object, scopes: frozenset[Scope], holders: list[tuple[str, str]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        shown = [(scope.value, scope.label) for scope in Scope if scope in scopes]
        self.fields["scopes"] = forms.MultipleChoiceField(choices=shown)
        self.fields["holder"] = forms.ChoiceField(choices=holders)
