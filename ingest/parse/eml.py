"""E-mail as it is sent (RFC 5322): subject, sender, body, and what is attached."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from ingest.clean import clean
from ingest.config import IngestSettings
from ingest.document import Block, ParsedDocument
from ingest.errors import DamagedFile
from ingest.parse.attachments import Mail, mail_document
from ingest.parse.html import blocks_of as html_blocks
from ingest.parse.text import blocks_of as text_blocks
from ingest.parse.text import decode

_HEAD = ("From", "To", "Cc", "Date")
# What the standard library's mail parser raises on headers that no mail program writes.
_BROKEN = (
    MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError,
)  # fmt: skip


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a mail; raises RefusedFile when it is damaged, too large or empty."""
    try:
        mail = _mail(content)
    except _BROKEN as error:
        raise DamagedFile(
            "The mail is damaged: its parts cannot be read.",
            "Open it in the mail program, save it again and load that.",
        ) from error
    return mail_document(mail, settings)


def _mail(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    # Typed as a plain Message, but this policy makes EmailMessage.
    assert isinstance(message, EmailMessage)
    body = message.get_body(("html", "plain"))
    head = [f"{name}: {message[name]}" for name in _HEAD if message[name]]
    return Mail(
        subject=str(message["Subject"] or ""),
        head=head,
        body=_blocks(body) if isinstance(body, EmailMessage) else (),
        attached=tuple(_attached(message)),
    )


def _blocks(body: EmailMessage) -> list[Block]:
    text = decode(_bytes(body), body.get_content_charset())
    if body.get_content_subtype() == "html":
        return html_blocks(text)
    return text_blocks(clean(text))


def _attached(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attachment; pictures inside the body are none."""
    for part in message.iter_attachments():
        if part.get_content_type() == "message/rfc822":
            yield part.get_filename() or "mail.eml", b"Subject: mail in mail\n\n-"
        elif part.get_content_maintype() != "image" or part.is_attachment():
            yield part.get_filename() or "", _bytes(part)


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
