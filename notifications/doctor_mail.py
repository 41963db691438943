"""Whether mails are taken, and whether those who get them can tell that they are ours."""

from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.mail import get_connection
from django.utils.translation import gettext as _

from notifications import conf, dns
from notifications.failures import describe_failure
from notifications.findings import doubtful, fine, unknown, wrong

SERVER_SECONDS = 3
# RFC 2606 and RFC 6761: nobody ever has them.
NOBODYS = ("localhost", "example", "test", "invalid", "example.com", "example.org", "example.net")


def ask_server() -> Iterator[CheckMessage]:
    """Connects, encrypts and signs in as a mail would, and sends none."""
    backend = settings.EMAIL_BACKEND
    if not backend.endswith("smtp.EmailBackend"):
        sentence = _("Mails do not leave over SMTP, but through %(backend)s.")
        yield unknown(sentence % {"backend": backend})
        return
    connection = get_connection(timeout=SERVER_SECONDS)
    where = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
    try:
        connection.open()
        connection.close()
    except Exception as error:
        sentence = _("The mail server %(host)s:%(port)s takes no mails: %(failure)s.")
        yield wrong(
            sentence % {**where, "failure": describe_failure(error)},
            _("Look at EMAIL_URL: host, port, tls and password. Mails wait and are tried again."),
        )
        return
    yield fine(_("The mail server %(host)s:%(port)s is ready.") % where)


def ask_records() -> Iterator[CheckMessage]:
    """SPF, DKIM and DMARC of the domain of our sender."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2].lower()
    if domain in NOBODYS or domain.rpartition(".")[2] in NOBODYS:
        yield doubtful(
            _("Mails come from %(domain)s, which nobody can answer or check.") % {"domain": domain},
            _("Set DEFAULT_FROM_EMAIL to an address of a domain of your own."),
        )
        return
    try:
        yield _judge_spf(domain, dns.find_texts(domain))
        yield _judge_dmarc(domain, _find_texts(f"_dmarc.{domain}"))
        yield from _ask_dkim(domain)
    except dns.NoSuchName:
        yield unknown(
            _("The name server of this machine does not know %(domain)s.") % {"domain": domain},
            _("Is it written as you mean it? If so, ask elsewhere: dig TXT %(domain)s")
            % {"domain": domain},
        )
    except dns.NotKnown:
        yield unknown(
            _("Whether %(domain)s has SPF, DKIM and DMARC is not known: no name server answered.")
            % {"domain": domain},
            _("Ask from a machine that can: dig TXT %(domain)s") % {"domain": domain},
        )


def _find_texts(name: str) -> list[str]:
    """Below a domain that there is, a name that there is not has no records."""
    try:
        return dns.find_texts(name)
    except dns.NoSuchName:
        return []


def _judge_spf(domain: str, texts: list[str]) -> CheckMessage:
    found = [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]
    if len(found) == 1:
        return fine(_("%(domain)s has an SPF record.") % {"domain": domain})
    if found:
        return wrong(
            _("%(domain)s has several SPF records, which counts as none.") % {"domain": domain},
            _("Join them to one."),
        )
    return doubtful(
        _("%(domain)s has no SPF record: mails from it look forged.") % {"domain": domain},
        _("Add a TXT record that names your mail server, as its provider tells."),
    )


def _judge_dmarc(domain: str, texts: list[str]) -> CheckMessage:
    if any(text.lower().startswith("v=dmarc1") for text in texts):
        return fine(_("%(domain)s has a DMARC record.") % {"domain": domain})
    return doubtful(
        _("%(domain)s has no DMARC record: large providers turn such mails away.")
        % {"domain": domain},
        _("Add a TXT record to _dmarc.%(domain)s, to begin with “v=DMARC1; p=none”.")
        % {"domain": domain},
    )


def _ask_dkim(domain: str) -> Iterator[CheckMessage]:
    selector = conf.dkim_selector()
    if not selector:
        yield unknown(
            _("Whether mails are signed (DKIM) is not known: the name of the key is not set."),
            _("Set NOTIFICATIONS_DKIM_SELECTOR to it, to have it looked for."),
        )
        return
    name = f"{selector}._domainkey.{domain}"
    if any("p=" in text for text in _find_texts(name)):
        yield fine(_("There is a DKIM key at %(name)s.") % {"name": name})
    else:
        yield doubtful(
            _("There is no DKIM key at %(name)s: mails cannot be told from forged ones.")
            % {"name": name},
            _("Publish the key that your mail server signs with."),
        )
