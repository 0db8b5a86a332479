"""All addresses of the API and of its tokens. Kudu is there for production and for each slot."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webjobs.api.kudu.urls import nothing
from webjobs.api.openapi.document import openapi
from webjobs.api.routing import route
from webjobs.views import tokens

urlpatterns: list[URLPattern | URLResolver] = [
    path("scm/<str:app>/slots/<str:slot>/", include("webjobs.api.kudu.urls")),
    path("scm/<str:app>/", include("webjobs.api.kudu.urls")),
    path("scm/<str:app>", nothing, name="kudu-base-nothing"),
    route("scm", nothing, "kudu-root-nothing"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", tokens.token_revoke, name="token-revoke"),
    route(r"api/openapi\.json", openapi, "openapi"),
    path("", include("webjobs.api.arm.urls")),
    path("", include("webjobs.api.identity.urls")),
]
