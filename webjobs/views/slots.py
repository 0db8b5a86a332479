"""Deployment slots: list, add, delete, swap with a preview."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webjobs import dispatch, retelling
from webjobs.access import actor_of, slot_for
from webjobs.dispatch.slots import SWAP_ENDED
from webjobs.forms.fields import REQUIRED
from webjobs.models import App, AppSetting, Role, Slot, Swap, WebJob
from webjobs.models.app import PRODUCTION, validate_name
from webjobs.models.fields import SecretUnreadable
from webjobs.models.setting import slot_engine_settings
from webjobs.states import SlotHold
from webjobs.swap_preview import preview
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, invalid, posted, refused, wants_fragment, wants_json
from webjobs.views.rights import rights_in

SHOWN_SWAPS = 10


@dataclass(frozen=True)
class SlotRow:
    """A slot in the list, with its state in words and the colour of that."""

    slot: Slot
    words: str
    kind: str
    continuous: int
    triggered: int
    settings: int


class SlotForm(forms.Form):
    """A new slot."""

    name = forms.CharField(
        max_length=60, validators=[validate_name], error_messages={"required": REQUIRED}
    )
    source = forms.ModelChoiceField(Slot.objects.none(), required=False, to_field_name="name")
    with_jobs = forms.BooleanField(required=False)

    def __init__(self, *args: Any, app: App, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = app
        field = self.fields["source"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = _slots_of(app)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if _slots_of(self.app).filter(name__iexact=name).exists():
            raise ValidationError(_("A slot of this name exists already. Choose another name."))
        return name

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("with_jobs") and not values.get("source"):
            self.add_error("source", _("Choose the slot whose WebJobs are to be copied."))
        return values


def _slots_of(app: App) -> QuerySet[Slot]:
    """Production first."""
    slots = Slot.objects.living().filter(app=app).defer("publishing_password")
    first = Case(When(name=PRODUCTION, then=Value(0)), default=Value(1))
    return slots.select_related("app").order_by(first, Lower("name"))


def _rows(app: App) -> list[SlotRow]:
    slots = list(_slots_of(app))
    jobs = Counter(
        WebJob.objects.living().filter(slot__in=slots).order_by().values_list("slot_id", "type")
    )
    settings = Counter(
        AppSetting.objects.filter(slot__in=slots).order_by().values_list("slot_id", flat=True)
    )
    return [
        SlotRow(
            slot,
            *_state(slot),
            jobs[slot.pk, "continuous"],
            jobs[slot.pk, "triggered"],
            settings[slot.pk],
        )
        for slot in slots
    ]


def _state(slot: Slot) -> tuple[str, str]:
    if slot.hold != SlotHold.NONE:
        return _("Being swapped"), "busy"
    if slot_engine_settings(slot).stopped:
        return _("Stopped"), "none"
    return _("Running"), "ok"


@require_GET
def slots(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """The slots with what is in them, the swap that is under way, and the last ones."""
    found = slot_for(request, app, slot)
    context = {
        "slot": found,
        "rows": _rows(found.app),
        "active": Swap.objects.active().filter(app=found.app).first(),
        "swaps": Swap.objects.filter(app=found.app, ended_at__isnull=False)[:SHOWN_SWAPS],
        "rights": rights_in(request, found.app),
    }
    template = "slots/_list.html" if wants_fragment(request) else "slots/list.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
def slot_add(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """The panel (GET) and its OK (POST)."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    form = SlotForm(posted(request), app=found.app)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            added = dispatch.add_slot(
                found.app,
                values["name"],
                actor_of(request),
                source=values["source"],
                with_jobs=values["with_jobs"],
            )
            message = _("Successfully added slot '%(name)s'") % {"name": added.name}
            return done(request, message, slot_url(found, "slots"))
        except dispatch.Refused as error:
            form.add_error("name", told(error))
    if request.method == "POST" and wants_json(request):
        return invalid(form)
    template = "slots/_add.html" if wants_fragment(request) else "slots/add.html"
    context = {"form": form, "slot": found, "choices": _slots_of(found.app)}
    return render(request, template, context, status=400 if form.errors else 200)


def _named(app: App, name: str) -> Slot:
    found = None if "\0" in name else _slots_of(app).filter(name__iexact=name).first()
    if found is None:
        raise Http404("No such slot.")
    return found


@require_http_methods(["GET", "POST"])
def slot_delete(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """Ask (GET), naming what goes, then delete (POST)."""
    where = slot_for(request, app, slot, Role.CONTRIBUTOR)
    gone = _named(where.app, name)
    production = _named(where.app, PRODUCTION)
    url = slot_url(production, "slots")
    if request.method != "POST":
        jobs = WebJob.objects.living().filter(slot=gone)
        settings = AppSetting.objects.filter(slot=gone).defer("value")
        context = {"slot": production, "gone": gone, "jobs": jobs, "settings": settings}
        return render(request, "slots/delete.html", context)
    try:
        dispatch.delete_slot(gone, actor_of(request))
    except dispatch.Refused as error:
        message = _("Failed to delete slot '%(name)s': %(why)s")
        return refused(request, error, message % {"name": gone.name, "why": told(error)}, url)
    return done(request, _("Successfully deleted slot '%(name)s'") % {"name": gone.name}, url)


@require_http_methods(["GET", "POST"])
def slot_swap(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Choose two slots and see what would change (GET), then begin (POST)."""
    where = slot_for(request, app, slot, Role.CONTRIBUTOR)
    choices = list(_slots_of(where.app))
    asked = request.POST if request.method == "POST" else request.GET
    source = _chosen(asked.get("source", ""), choices, where if slot != PRODUCTION else None)
    target = _chosen(asked.get("target", ""), choices, None, source)
    context: dict[str, Any] = {
        "slot": where, "choices": choices, "source": source, "target": target,
        "is_same": source is not None and source == target,
    }  # fmt: skip
    if source and target and source != target:
        # Swapped meanwhile, the same request would take that back.
        last = Swap.objects.filter(app=where.app).order_by("-pk").values_list("pk", flat=True)
        context["seen"] = str(last.first() or 0)
        context["is_stale"] = asked.get("seen", context["seen"]) != context["seen"]
        if request.method == "POST" and not context["is_stale"]:
            return _swap(request, where, source, target)
        try:
            context["preview"] = preview(source, target)
        except SecretUnreadable as error:
            context["unreadable"] = retelling.shown(str(error))
    status = 400 if request.method == "POST" else 200
    return render(request, "slots/swap.html", context, status=status)


def _chosen(
    name: str, choices: list[Slot], default: Slot | None, other: Slot | None = None
) -> Slot | None:
    """The slot of this name; without one `default`, else the first that is not `other` and, for
    the source, not production."""
    if name:
        return next((slot for slot in choices if slot.name.lower() == name.lower()), None)
    if default is not None:
        return default
    rest = [slot for slot in choices if slot != other and (other or not slot.is_production)]
    return rest[0] if rest else None


def _swap(request: HttpRequest, where: Slot, source: Slot, target: Slot) -> HttpResponse:
    names = {"source": source.name, "target": target.name}
    url = slot_url(where, "slots")
    try:
        dispatch.swap_slots(source, target, actor_of(request))
    except dispatch.Refused as error:
        message = _("Failed to swap %(source)s with %(target)s: %(why)s")
        return refused(request, error, message % (names | {"why": told(error)}), url)
    return done(request, _("The swap of %(source)s with %(target)s has begun") % names, url)


@require_POST
def swap_cancel(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Give up the swap that is under way."""
    where = slot_for(request, app, slot, Role.CONTRIBUTOR)
    url = slot_url(where, "slots")
    swap = Swap.objects.active().filter(app=where.app).first()
    try:
        if swap is None:
            raise dispatch.Refused("swap-ended", SWAP_ENDED)
        dispatch.cancel_swap(swap, actor_of(request))
    except dispatch.Refused as error:
        return refused(request, error, told(error), url)
    return done(request, _("The swap was cancelled"), url)
