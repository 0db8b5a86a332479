"""Drafts of what may be secret: a tab keeps them sealed, and only the portal opens them."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from webjobs.models.fields import SecretUnreadable, decrypt, encrypt
from webjobs.reasons import gettext_noop

OPENS_NO_MORE = gettext_noop(
    "What you had typed here cannot be opened any more, because the portal's SECRET_KEY has "
    "changed. Type it again."
)
# So that nothing else that is encrypted can be opened here.
PURPOSE = "draft"


@require_POST
@never_cache
def drafts(request: HttpRequest) -> HttpResponse:
    """JSON of `text`, sealed for whoever is signed in; of what was `sealed`, the text again.

    Nothing is stored. 410 for what is not theirs, or was sealed under another SECRET_KEY.
    """
    owner = str(request.user.pk)
    if "sealed" not in request.POST:
        sealed = encrypt(json.dumps([PURPOSE, owner, request.POST.get("text", "")]))
        return JsonResponse({"sealed": sealed})
    try:
        found = json.loads(decrypt(request.POST["sealed"]))
    except (SecretUnreadable, ValueError):
        found = None
    if not isinstance(found, list) or found[:2] != [PURPOSE, owner]:
        return JsonResponse({"error": _(OPENS_NO_MORE)}, status=410)
    return JsonResponse({"text": found[2]})
