"""Everything that people read is there in every language, and they get it in theirs."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
import time_machine
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from marketplace.development.sentences import collect, make_readable, read_sentences, update
from marketplace.listings.models import Listing
from marketplace.privacy.services.archive import write_archive
from marketplace.translations import (
    FOLDERS,
    PROJECT,
    compile_catalogue,
    is_compiled,
    list_catalogues,
    name_compiled,
)
from messaging.models import Conversation, Participant
from messaging.templatetags.messaging import day_label, last_here, relative_time, waiting_time
from notifications.models import Delivery
from notifications.services.deliver import deliver
from notifications.services.notify import notify_due
from notifications.sources import get_source
from tests.cast import PASSWORD

SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# What must be in a translation as often as in the sentence: what is filled in, and tags.
FIXED = re.compile(r"%\(\w+\)[a-z]|%%?[a-z]|</?\w+")
TIGHT = re.compile(r"\s*([<>])\s*")

each_catalogue = pytest.mark.parametrize(
    "path", list_catalogues(), ids=lambda path: str(path.relative_to(PROJECT))
)


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def list_messages(catalogue: Catalog) -> list[Message]:
    """All but the header, which is the translation of nothing."""
    return [message for message in catalogue if message.id]


def key(message: Message) -> tuple[str, ...]:
    return (message.context or "", *forms(message.id))


def forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def list_faults(catalogue: Catalog, wanted: Catalog) -> list[str]:
    there = {key(message) for message in list_messages(catalogue)}
    needed = {key(message) for message in list_messages(wanted)}
    faults = [f"missing: {name}" for name in sorted(needed - there)]
    faults += [f"no longer used: {name}" for name in sorted(there - needed)]
    faults += [f"obsolete: {name}" for name in catalogue.obsolete]
    for message in list_messages(catalogue):
        faults += [f"{fault}: {message.id}" for fault in list_faults_of(message, catalogue)]
    return faults


def list_faults_of(message: Message, catalogue: Catalog) -> list[str]:
    faults = ["fuzzy"] if message.fuzzy else []
    translated = forms(message.string or "")
    if not all(translated):
        return [*faults, "untranslated"]
    if message.pluralizable and len(translated) != catalogue.num_plurals:
        return [*faults, "too few plurals"]
    sentences = forms(message.id)
    for number, text in enumerate(translated):
        sentence = sentences[min(number, len(sentences) - 1)]
        if Counter(FIXED.findall(text)) != Counter(FIXED.findall(sentence)):
            faults.append("placeholders or tags differ")
    return faults


def test_every_place_has_every_language() -> None:
    assert len(list_catalogues()) == len(FOLDERS) * len(LANGUAGES)
    assert {path.parent.parent.name for path in list_catalogues()} == set(LANGUAGES)


@each_catalogue
def test_every_sentence_is_translated(path: Path) -> None:
    """After `python -m marketplace.development.sentences` the new ones are in the catalogue."""
    wanted = collect(path.parent.parent.parent)
    assert len(wanted) > 20
    assert not list_faults(read(path), wanted)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (Message("Send", ""), "untranslated"),
        (Message("Send", "Enviar", flags=["fuzzy"]), "fuzzy"),
        (Message("Write to %(name)s", "Escribe a %(nombre)s"), "placeholders"),
        (Message("%(a)s of %(b)s", "%(a)s de"), "placeholders"),
        (Message("<b>Send</b>", "<b>Enviar"), "placeholders"),
        (Message("last here %%s", "el %s"), "placeholders"),
        (Message(("%(n)d day", "%(n)d days"), ("%(n)d día", "")), "untranslated"),
        (Message(("%(n)d day", "%(n)d days"), ("%(n)d día", "días")), "placeholders"),
        (Message(("%(n)d day", "%(n)d days"), ("%(n)d día",)), "too few plurals"),
    ],
)
def test_a_bad_translation_is_found(message: Message, fault: str) -> None:
    [found] = list_faults_of(message, Catalog(locale="es"))
    assert found.startswith(fault)


def test_a_missing_sentence_and_one_too_many_are_found() -> None:
    catalogue, wanted = Catalog(locale="es"), Catalog()
    catalogue.add("Read", "Leído")
    wanted.add("Read", context="a verb")
    assert list_faults(catalogue, wanted) == [
        "missing: ('a verb', 'Read')",
        "no longer used: ('', 'Read')",
    ]


def test_sentences_are_found_however_they_are_marked() -> None:
    template = """
        {% translate "one" %} <p title="{% translate 'two' context 'a verb' %}">it's</p>
      {% blocktranslate trimmed count count=rows|length %}
          {{ count }} row
        {% plural %} {{ count }} rows {% endblocktranslate %}
    {{ detail|default:_("three") }}{% include "x.html" with label=_("four") %}
    """
    assert list(read_sentences(template, is_python=False)) == [
        ("one", None),
        ("two", "a verb"),
        (("%(count)s row", "%(count)s rows"), None),
        ("three", None),
        ("four", None),
    ]
    code = '_("one" " and a half")\nngettext_lazy("a", "b", 8)\npgettext("verb", "two")\nf("no")\n'
    assert list(read_sentences(code, is_python=True)) == [
        ("one and a half", None),
        (("a", "b"), None),
        ("two", "verb"),
    ]


def test_indents_of_a_template_make_no_sense_to_python_and_do_no_harm() -> None:
    assert make_readable("<p>\n    a\n  b {% translate 'c' %}") == "XXX\nX\nX  gettext(u'c') "


@each_catalogue
def test_collecting_again_changes_nothing(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.relative_to(PROJECT)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    update(copy, collect(path.parent.parent.parent))
    assert copy.read_text() == path.read_text()


def test_collecting_keeps_what_is_translated(tmp_path: Path) -> None:
    path = tmp_path / "es" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    before, now = Catalog(), Catalog()
    before.add("Read")
    before.add("Gone")
    update(path, before)
    path.write_text(path.read_text().replace('"Read"\nmsgstr ""', '"Read"\nmsgstr "Leído"'))
    now.add("Read")
    now.add("New")
    update(path, now)
    assert {(m.id, m.string) for m in list_messages(read(path))} == {("Read", "Leído"), ("New", "")}
    assert "Gone" not in path.read_text()


def test_a_changed_catalogue_is_compiled_again(tmp_path: Path) -> None:
    path = tmp_path / "es" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(list_catalogues()[0].read_bytes())
    assert not is_compiled(path)
    compile_catalogue(path)
    assert is_compiled(path)
    assert name_compiled(path).stat().st_size > 1000
    path.write_text(path.read_text() + "\n")
    assert not is_compiled(path)


@each_catalogue
def test_people_get_what_the_catalogue_says(path: Path) -> None:
    """Compiled, and not hidden behind the same sentence of another app."""
    with translation.override(path.parent.parent.name):
        for message in list_messages(read(path)):
            assert shown(message) == message.string, message.id


def shown(message: Message) -> str | tuple[str, ...]:
    """What Django makes of it, for one and for two where that differs."""
    context = message.context
    if isinstance(message.id, str):
        return translation.pgettext(context, message.id) if context else say(message.id)
    one, many = message.id
    if context:
        return tuple(translation.npgettext(context, one, many, number) for number in (1, 2))
    return tuple(translation.ngettext(one, many, number) for number in (1, 2))


def say(sentence: str) -> str:
    return translation.gettext(sentence)


def test_the_browser_decides_for_whoever_has_no_language(client: Client, listing: Listing) -> None:
    page = client.get("/", headers=SPANISH).content.decode()
    assert '<html lang="es"' in page
    for words in ("Lo que se vende", "1 anuncio", "Explorar", "Entrar", "340\u00a0€"):
        assert words in page
    english = client.get("/", headers={"Accept-Language": "fr"}).content.decode()
    assert '<html lang="en"' in english
    assert "What people sell" in english


def test_a_visitor_s_choice_stays(client: Client, listing: Listing) -> None:
    page = {"Accept-Language": "en"}
    client.post("/i18n/setlang/", {"language": "es", "next": "/"}, headers=page)
    assert "Lo que se vende" in client.get("/", headers=page).content.decode()


def test_the_account_s_language_comes_first(
    buyer: User, seller: User, conversation: Conversation
) -> None:
    page = f"/conversation/{conversation.pk}/"
    assert "Write to Sol" in open_page(buyer, page, headers=SPANISH, locale="en")
    spanish = open_page(buyer, page, headers={"Accept-Language": "en"}, locale="es")
    for words in ("Escribe a Sol", "Hoy", "Enviado", "Buzón"):
        assert words in spanish
    dashboard = open_page(seller, "/seller/", headers={"Accept-Language": "en"}, locale="es")
    for words in ("Panel de ventas", "Todas", "Pendientes", "1 mensaje sin leer"):
        assert words in dashboard


def open_page(person: User, path: str, *, headers: dict[str, str], locale: str) -> str:
    User.objects.filter(pk=person.pk).update(locale=locale)
    client = Client()
    client.force_login(person)
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/accounts/", "Dónde tienes la sesión abierta"),
        ("/accounts/sessions/", "última actividad: ahora"),
        ("/accounts/password/change/", "Contraseña nueva (otra vez)"),
        ("/accounts/2fa/", "Aplicación de autenticación"),
        ("/accounts/2fa/webauthn/", "Añadir una llave de acceso"),
        ("/accounts/2fa/webauthn/add/", "Entrar con ella en lugar de la contraseña"),
        ("/accounts/3rdparty/", "Cuentas en otros sitios"),
        ("/accounts/deactivate/", "Desactivar mi cuenta"),
        ("/accounts/privacy/export/", "La copia se guarda 7 días"),
        ("/accounts/privacy/erase/", "a nombre de «Antiguo miembro»"),
        ("/people/blocked/", "No has bloqueado a nadie"),
        ("/conversations/?state=archived", "Destacadas"),
    ],
)
def test_pages_of_an_account_leave_nothing_in_english(buyer: User, path: str, words: str) -> None:
    User.objects.filter(pk=buyer.pk).update(locale="es")
    client = Client(headers={"Accept-Language": "en"})
    client.post("/accounts/login/", {"login": buyer.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = read_page(client, path)
    assert words in page
    assert list_left_in_english(page) == []
    User.objects.filter(pk=buyer.pk).update(locale="en")
    assert list_left_in_english(read_page(client, path))


def read_page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return unescape(response.content.decode())


def list_left_in_english(page: str) -> list[str]:
    tight = TIGHT.sub(r"\1", page)
    return [text for text in list_sentences() if f">{text}<" in tight]


@cache
def list_sentences() -> list[str]:
    """What there are translations for, of more than a word and with nothing filled in."""
    messages = [message for path in list_catalogues() for message in list_messages(read(path))]
    whole = (str(message.id) for message in messages if not message.pluralizable)
    return [text for text in whole if " " in text and not FIXED.search(text)]


def test_the_copy_of_one_s_data_explains_itself_in_spanish(buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(locale="es")
    buyer.refresh_from_db()
    file = BytesIO()
    for _ in write_archive(file, user=buyer):
        pass
    with ZipFile(file) as archive:
        text = archive.read("README.txt").decode()
    assert "Una copia de tus datos" in text
    assert "cuentas en otros sitios" in text
    assert "Your account" not in text


def test_refusals_for_machines_are_sentences_in_the_same_language(
    client: Client, buyer: User, conversation: Conversation
) -> None:
    client.force_login(buyer)
    address = f"/conversation/{conversation.pk}/new_message/"
    fields = {"message": " ", "client_message_id": str(uuid4())}
    details = {}
    for language in ("en", "es"):
        headers = {"Accept": "application/json", "Accept-Language": language}
        response = client.post(address, fields, headers=headers)
        assert response.status_code == 400
        details[language] = response.json()["detail"]
    assert details == {"en": "Write something first.", "es": "Escribe algo primero."}
    missing = client.get("/nowhere/", headers=SPANISH | {"Accept": "application/json"})
    assert missing.json()["detail"] == "En esta dirección no hay nada, o no es tuyo."


def test_forms_say_what_is_wrong_in_spanish(client: Client, db: None) -> None:
    """Our own sentences, Django's and allauth's."""
    answer = {"display_name": "x", "email": "nobody", "password1": "short"}
    page = client.post("/accounts/signup/", answer, headers=SPANISH).content.decode()
    for words in (
        "Escribe al menos 2 caracteres (hay 1).",
        "Escribe una dirección de correo válida.",
        "La contraseña es demasiado corta.",
        "Nadie más la ve. Te enviamos un código a ella.",
    ):
        assert words in page


def test_times_are_written_as_in_spanish() -> None:
    """The days as browsers write them too: scripts put theirs in the place of the server's."""
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    with time_machine.travel(now, tick=False), translation.override("es"):
        assert day_label(now - timedelta(days=2)) == "miércoles, 18 de noviembre"
        assert day_label(now - timedelta(days=400)) == "16 de octubre de 2025"
        assert relative_time(now - timedelta(days=3)) == "mar"
        assert relative_time(now - timedelta(days=30)) == "21 oct"
        assert waiting_time(now - timedelta(days=3)) == "3 días"
        assert last_here("2026-03-03") == "se conectó el 3 de marzo de 2026"


def test_what_is_filled_in_early_is_translated_late(buyer: User) -> None:
    page = open_page(buyer, "/sell/new/", headers=SPANISH, locale="")
    assert "Como máximo 8 fotos de 10 MB cada una" in page


def test_the_code_to_sign_up_comes_in_the_language_of_the_page(client: Client, db: None) -> None:
    answer = {"display_name": "Inés", "email": "ines@example.net", "password1": PASSWORD}
    client.post("/accounts/signup/", answer, headers=SPANISH)
    [message] = mail.outbox
    assert message.subject.startswith("Tu código: ")
    assert "Este es el código" in message.body


def test_a_notification_is_mailed_in_the_language_of_its_recipient(
    seller: User, buyer: User, conversation: Conversation
) -> None:
    User.objects.filter(pk=seller.pk).update(locale="es")
    with translation.override("en"):
        mail_what_is_owed()
    [message] = mail.outbox
    assert (message.to, message.subject) == ([seller.email], "Sobre «Walnut sideboard»")
    assert message.from_email.startswith('"Ana por Trato"')
    assert "Ana te ha escrito sobre" in message.body
    assert "Responde a Ana:" in message.body
    assert '<html lang="es"' in str(message.message())


def mail_what_is_owed() -> None:
    Participant.objects.filter(role="seller").update(notify_at=timezone.now())
    notify_due(source=get_source("messaging"), limit=10)
    deliver(delivery_id=Delivery.objects.get().pk)
