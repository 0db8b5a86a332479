"""All addresses of the API. Kudu exists for production and for each other slot."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("scm/<str:app>/slots/<str:slot>/", include("webjobs.api.kudu.urls")),
    path("scm/<str:app>/", include("webjobs.api.kudu.urls")),
    path("", include("webjobs.api.arm.urls")),
    path("", include("webjobs.api.identity.urls")),
]
