"""Reads: one's own exports, and nobody else's."""

from uuid import UUID

from django.http import Http404
from django.utils import timezone

from accounts.models import User
from marketplace.privacy import files
from marketplace.privacy.models import DataExport, Erasure


def latest_export(*, user: User) -> DataExport | None:
    return DataExport.objects.filter(user=user).order_by("-requested_at").first()


def access_file(*, user: User, export_id: UUID) -> DataExport:
    """An export of this person's whose file is there. To everybody else there is none."""
    export = DataExport.objects.filter(pk=export_id, user=user).first()
    if export is None or not export.can_be_fetched(timezone.now()):
        raise Http404
    if not files.path_of(export.file_name).is_file():
        raise Http404
    return export


def may_be_active(*, user: User) -> bool:
    """Not while it waits to be erased: whoever came in then would be erased under their hands."""
    return not Erasure.objects.filter(user_key=str(user.pk)).exists()
