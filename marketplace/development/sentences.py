"""Collects every sentence marked for translation, from Python and from templates.

`python -m marketplace.development.sentences` brings the catalogues up to date: new sentences come
in untranslated, gone ones go. Django's own `makemessages` wants gettext on the system and cannot
give an app the templates that are outside of its folder.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from marketplace.translations import APPS, FOLDERS, PROJECT

Sentence = str | tuple[str, ...]  # or its singular and plural

# One name stands for `gettext_lazy`, `gettext_noop` and so on, whatever they are imported as.
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
# Sentences of Django that forms show. Its own Spanish is stiff and not without mistakes.
OF_DJANGO: tuple[Sentence, ...] = (
    "Enter a number.",
    "Enter a valid email address.",
    "Ensure this value is less than or equal to %(limit_value)s.",
    "Ensure this value is greater than or equal to %(limit_value)s.",
    (
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
    ),
    (
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    (
        "Ensure that there are no more than %(max)s digit in total.",
        "Ensure that there are no more than %(max)s digits in total.",
    ),
    (
        "Ensure that there are no more than %(max)s decimal place.",
        "Ensure that there are no more than %(max)s decimal places.",
    ),
    (
        "Ensure that there are no more than %(max)s digit before the decimal point.",
        "Ensure that there are no more than %(max)s digits before the decimal point.",
    ),
    "Select a valid choice. %(value)s is not one of the available choices.",
    "Select a valid choice. That choice is not one of the available choices.",
)
# Sentences of allauth that forms show. Its own Spanish says “usted”.
OF_ALLAUTH: tuple[Sentence, ...] = (
    "An account already exists with this email address. Please sign in to that account first, then"
    " connect your %s account.",
    "Current Password",
    "New Password",
    "New Password (again)",
    "Password (again)",
    "This email address is already associated with this account.",
    "You must type the same password each time.",
)
NOT_SHOWN = {"tests", "migrations"}
# Nothing that differs from one run to the next, nor from one translator to the next.
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def list_files(folder: Path) -> Iterator[Path]:
    """The Python modules and templates whose sentences belong into `folder`."""
    if folder.parent == PROJECT:
        yield from list_shown(PROJECT / "marketplace")
        yield from list_shown(PROJECT / "accounts")
        templates = list_shown(PROJECT / "templates")
        yield from (path for path in templates if part_of(path) not in APPS)
    else:
        yield from list_shown(folder.parent)
        yield from list_shown(PROJECT / "templates" / folder.parent.name)


def list_shown(folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if path.suffix in {".py", ".html", ".txt"})
    return sorted(path for path in paths if not NOT_SHOWN & set(path.relative_to(PROJECT).parts))


def part_of(template: Path) -> str:
    return template.relative_to(PROJECT / "templates").parts[0]


def collect(folder: Path) -> Catalog:
    """Every sentence that the catalogues in `folder` must have, none of them translated."""
    catalogue = Catalog()
    for sentence in (*OF_DJANGO, *OF_ALLAUTH) if folder.parent == PROJECT else ():
        catalogue.add(sentence)
    for path in list_files(folder):
        for sentence, context in read_sentences(path.read_text(), is_python=path.suffix == ".py"):
            catalogue.add(sentence, context=context)
    return catalogue


def read_sentences(text: str, *, is_python: bool) -> Iterator[tuple[Sentence, str | None]]:
    """Pairs of a sentence and its context."""
    code = text if is_python else make_readable(text)
    found = extract("python", io.BytesIO(code.encode()), KEYWORDS)
    for _, sentence, _, context in found:
        yield sentence, context


def make_readable(template: str) -> str:
    """A template as calls of gettext; without indents, in which Python would see sense."""
    return "\n".join(line.lstrip() for line in templatize(template).splitlines())


def write_catalogue(path: Path, catalogue: Catalog) -> None:
    entries = io.BytesIO()
    write_po(
        entries,
        catalogue,
        width=100,
        no_location=True,
        omit_header=True,
        sort_output=True,
        ignore_obsolete=True,
    )
    header = HEADER.format(language=catalogue.locale, plural_forms=catalogue.plural_forms)
    path.write_text(header + entries.getvalue().decode().strip() + "\n")


def update(path: Path, wanted: Catalog) -> None:
    """Keeps what is translated of the sentences that there still are."""
    language = path.parent.parent.name
    catalogue = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
    catalogue.update(wanted, no_fuzzy_matching=True)
    write_catalogue(path, catalogue)


def main() -> None:
    for folder in FOLDERS:
        wanted = collect(folder)
        for language in folder.glob("*/LC_MESSAGES"):
            update(language / "django.po", wanted)


if __name__ == "__main__":
    main()
