"""Pages of costs."""

from django.urls import URLPattern, path

from tenancy.costs.views import BudgetsPage, CostsPage, StatementPage

app_name = "costs"
urlpatterns: list[URLPattern] = [
    path("", CostsPage.as_view(), name="month"),
    path("budgets/", BudgetsPage.as_view(), name="budgets"),
    path("statement/<str:month>", StatementPage.as_view(), name="statement"),
]
