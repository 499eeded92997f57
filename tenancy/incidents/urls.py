"""Pages of incidents, for the platform's operator."""

from django.urls import URLPattern, path

from tenancy.incidents import views

app_name = "incidents"
urlpatterns: list[URLPattern] = [
    path("", views.IncidentsPage.as_view(), name="list"),
    path("<int:number>/", views.IncidentPage.as_view(), name="one"),
    path("<int:number>/timeline/", views.TimelinePart.as_view(), name="timeline"),
    path("<int:number>/steps/<int:position>/", views.StepForm.as_view(), name="step"),
    path("<int:number>/report/", views.ReportPage.as_view(), name="report"),
    path("<int:number>/report.md", views.ReportFile.as_view(), name="report-file"),
]
