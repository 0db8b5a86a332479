"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path

from webjobs.views.health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health, name="healthz"),
    path("", include("webjobs.api.urls")),
    path("", include("webjobs.urls")),
]

handler400 = "webjobs.api.outside.bad_request"
handler403 = "webjobs.views.errors.forbidden"
handler404 = "webjobs.views.errors.not_found"
handler500 = "webjobs.views.errors.server_error"
