"""How an alert looks: subject, plain text, HTML with a picture in it, and the report as a file. Pure functions.

Every text from outside is escaped. The HTML is what mail programs understand: tables and inline styles, no script, and
nothing that is fetched from elsewhere.
"""

import io
import zipfile
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath

from ml_assets.alerts.content import Content, Finding

PICTURE_ID = "timeline"
_COLOURS = {
    "checks_failed": "#c2410c",
    "retraining_failed": "#b91c1c",
    "rejected": "#b45309",
    "recovered": "#15803d",
    "promoted": "#15803d",
    "retraining_started": "#1d4ed8",
    "changed_by_hand": "#1d4ed8",
    "test": "#475569",
}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # so that the same report is the same file


@dataclass(frozen=True)
class Attachment:
    """A file."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """An alert, ready to be sent. `html` shows `picture` by its id `PICTURE_ID`."""

    subject: str
    text: str
    html: str
    picture: bytes | None = None
    attachment: Attachment | None = None


def compose(content: Content, picture: bytes | None, attachment: Attachment | None) -> Message:
    """The message of an alert."""
    subject = " ".join(f"[{content.problem}] {content.headline}".split())  # a header is one line
    return Message(subject, _text(content, attachment), _html(content, picture, attachment), picture, attachment)


def report_file(content: Content, html: bytes) -> Attachment:
    """A drift report as a zip: mail programs open one everywhere, and it is a third of the size."""
    name = f"{content.problem}_drift_{PurePosixPath(content.report).stem}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.html", _FIRST_MOMENT), html, zipfile.ZIP_DEFLATED)
    return Attachment(f"{name}.zip", packed.getvalue())


def _text(content: Content, attachment: Attachment | None) -> str:
    lines = [content.headline, ""]
    lines += [f"{label}: {said}" for label, said in content.facts]
    if content.findings:
        lines += ["", "What the checks found:"]
        lines += [f"- {each.window} {each.check}: {_verdict(each)}. {each.text}" for each in content.findings]
    lines += ["", *(f"{name}: {address}" for name, address in content.links)]
    lines += [f"Attached: {attachment.name}"] if attachment else []
    return "\n".join(lines).strip() + "\n"


def _html(content: Content, picture: bytes | None, attachment: Attachment | None) -> str:
    cell = f'style="{_FONT};font-size:14px;line-height:20px;color:#1f2937;padding:5px 24px"'
    parts = [
        f'<tr><td style="background:{_COLOURS[content.kind]};padding:16px 24px;{_FONT};color:#ffffff">'
        f'<div style="font-size:12px;line-height:18px">{escape(content.problem)}</div>'
        f'<div style="font-size:19px;line-height:26px;font-weight:600">{escape(content.headline)}</div></td></tr>',
        '<tr><td style="height:10px"></td></tr>',
    ]
    parts += [
        f'<tr><td {cell}><span style="color:#6b7280">{escape(label)}</span><br>{escape(said)}</td></tr>'
        for label, said in content.facts
    ]
    if picture:
        alt = f"{content.metric} and drift by window"
        parts.append(
            f'<tr><td style="padding:12px 24px"><img src="cid:{PICTURE_ID}" width="552" alt="{escape(alt)}" '
            'style="display:block;width:100%;max-width:552px;height:auto;border:0"></td></tr>'
        )
    if content.findings:
        parts.append(f"<tr><td {cell}>{_findings(content.findings)}</td></tr>")
    parts.append(f"<tr><td {cell}>{_links(content)}</td></tr>")
    if attachment:
        parts.append(f'<tr><td {cell}><span style="color:#6b7280">Attached: {escape(attachment.name)}</span></td></tr>')
    parts.append('<tr><td style="height:14px"></td></tr>')
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>{escape(content.headline)}</title></head>"
        '<body style="margin:0;background:#f3f4f6"><table role="presentation" width="100%" cellspacing="0" '
        'cellpadding="0"><tr><td align="center" style="padding:20px 8px"><table role="presentation" width="600" '
        'cellspacing="0" cellpadding="0" style="width:100%;max-width:600px;background:#ffffff;border-radius:6px;'
        f'overflow:hidden">{"".join(parts)}</table></td></tr></table></body></html>'
    )


def _findings(findings: tuple[Finding, ...]) -> str:
    style = "padding:5px 8px 5px 0;border-bottom:1px solid #e5e7eb;vertical-align:top;text-align:left;font-size:13px"
    head = "".join(f'<th style="{style};color:#6b7280;font-weight:400">{name}</th>' for name in ("window", "check", ""))
    rows = [
        f'<tr><td style="{style};white-space:nowrap">{escape(each.window)}</td>'
        f'<td style="{style};white-space:nowrap;color:{"#15803d" if each.passed else "#c2410c"}">'
        f'{escape(each.check)}<br>{_verdict(each)}</td><td style="{style}">{escape(each.text)}</td></tr>'
        for each in findings
    ]
    return (
        f'<table width="100%" cellspacing="0" cellpadding="0" style="{_FONT};border-collapse:collapse;color:#1f2937">'
        f"<tr>{head}</tr>{''.join(rows)}</table>"
    )


def _links(content: Content) -> str:
    shown = (f'<a href="{escape(address)}" style="color:#1d4ed8">{escape(name)}</a>' for name, address in content.links)
    return " &nbsp;·&nbsp; ".join(shown)


def _verdict(finding: Finding) -> str:
    return "passed" if finding.passed else "failed"
