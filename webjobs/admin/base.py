"""What the lists and pages of the admin share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from webjobs.access import actor_of
from webjobs.dispatch import Actor, Refused, record
from webjobs.models import App
from webjobs.telling import told

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ModelAdmin

    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

    class ModelAdmin(admin.ModelAdmin):
        """Django's own, which can be given its model's type as in `ModelAdmin[Run]`."""

        def __class_getitem__(cls, model: type[Model]) -> type[ModelAdmin]:
            return cls


# How many rows of a large table a list pages through; filters and dates lead to the others.
LISTED = 5_000
# Django's templates take longer for the rows of a page than the database does to find them.
PER_PAGE = 50
# How many of the newest rows a search by words reads when no index can answer it.
SEARCHED = 20_000
# How many refusals are told one by one.
TOLD = 10


class BoundedPaginator(_Paginator):
    """Counts to `LISTED` and no further: the cost does not grow with the table."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:LISTED].count()


class LargeTable(ModelAdmin[M]):
    """A list that costs the same over a thousand rows and over a million."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    list_per_page = PER_PAGE
    change_list_template = "admin/webjobs/large_change_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"listed": LISTED, **(extra_context or {})})


class Joined(ModelAdmin[M]):
    """Rows come with what they show, and without what would have to be decrypted or is large."""

    joined: ClassVar[Sequence[str]] = ()
    unread: ClassVar[Sequence[str]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        return super().get_queryset(request).select_related(*self.joined).defer(*self.unread)


class Facts(ModelAdmin[M]):
    """What executions wrote: to be read only, also by superusers."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class TellsRefusals(ModelAdmin[M]):
    """A refusal of dispatch becomes a message on the same page."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as error:
            return self._refused(request, error)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as error:
            return self._refused(request, error)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().changelist_view(request, extra_context)
        except Refused as error:
            return self._refused(request, error)

    def _refused(self, request: HttpRequest, error: Refused) -> HttpResponse:
        self.message_user(request, told(error), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def ask_each(
        self,
        request: HttpRequest,
        objects: Iterable[M],
        ask: Callable[[M, Actor], object],
        done: str,
    ) -> None:
        """Ask dispatch for each object; `done` takes the `count` of those that were not refused."""
        actor, refusals, count = actor_of(request), [], 0
        for found in objects:
            try:
                ask(found, actor)
                count += 1
            except Refused as error:
                refusals.append(f"{found}: {told(error)}")
        if count:
            self.message_user(request, done % {"count": count}, messages.SUCCESS)
        for refusal in refusals[:TOLD]:
            self.message_user(request, refusal, messages.ERROR)
        if len(refusals) > TOLD:
            more = _("%(count)d more were refused.") % {"count": len(refusals) - TOLD}
            self.message_user(request, more, messages.ERROR)


class Recorded(ModelAdmin[M]):
    """Whatever is added, changed or deleted here gets its audit entry, in the same transaction."""

    def audit_app(self, obj: M) -> App | None:
        """The app that `obj` belongs to; None for what belongs to the whole portal."""
        return None

    def audit_target(self, obj: M) -> str:
        return f"{obj._meta.model_name}/{obj}"

    def audit_details(self, obj: M) -> dict[str, Any]:
        """What else the entry says; never a secret."""
        return {}

    def audit(self, request: HttpRequest, obj: M, verb: str, **details: Any) -> None:
        record(
            actor_of(request),
            f"{obj._meta.model_name}.{verb}",
            self.audit_app(obj),
            self.audit_target(obj),
            **{**self.audit_details(obj), **details},
        )

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self.audit(request, obj, "add")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self.audit(request, obj, "change", changed=_changed_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> Any:
        for found in queryset:
            self.audit(request, found, "delete")
        return super().log_deletions(request, queryset)


def _changed_fields(message: Any) -> list[str]:
    """The labels of the fields in Django's change message; it holds no values."""
    if not isinstance(message, list):
        return [str(message)]
    parts = [part.get("changed", {}) for part in message]
    return [str(name) for part in parts for name in part.get("fields", [])]
