"""Staff see what was asked for and change nothing; the file's name is not theirs to see."""

from accounts.models import User
from marketplace.privacy.models import DataExport, Erasure
from marketplace.privacy.services.erasure import request_erasure
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.tests.people import enter


def test_staff_look_and_change_nothing(buyer: User, stranger: User, staff: User) -> None:
    export = request_export(user=buyer)
    make_export(export_id=export.pk)
    export.refresh_from_db()
    erasure = request_erasure(user=stranger)
    client = enter(staff)
    for row in (export, erasure):
        place = f"/admin/privacy/{row._meta.model_name}/"
        assert client.get(place).status_code == 200
        page = client.get(f"{place}{row.pk}/change/")
        assert page.status_code == 200
        assert export.file_name not in page.content.decode()
        assert client.get(f"{place}add/").status_code == 403
        assert client.post(f"{place}{row.pk}/change/", {"state": "ready"}).status_code == 403
    answer = client.post(f"/admin/privacy/erasure/{erasure.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert DataExport.objects.count() == Erasure.objects.count() == 1


def test_others_see_nothing(buyer: User) -> None:
    ana = enter(buyer)
    for name in ("dataexport", "erasure"):
        assert ana.get(f"/admin/privacy/{name}/").status_code in (302, 403)
