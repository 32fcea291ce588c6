"""What Design Studio says of an email: rendered for a person, and reviewed.

Assumed (reviews of emails): which findings there are, and the score beyond its documented bound.
"""

import re
from collections.abc import Iterator
from typing import Any

from cio_mcp.liquid import analyze, render

# Documented: an answer to a preview has all of these, empty where nothing is wrong.
ERRORS = (
    *("bcc", "body", "body_amp", "body_plain", "cc", "event", "from", "layout", "message", "preheader_text"),
    *("reply_to", "snippets", "subject", "to", "trigger"),
)

CHECKS = (
    *("accessibility", "failed-components", "html-clip", "images", "implied-links", "links", "liquid"),
    *("preheader", "source", "spam", "unsubscribe"),
)

# Bytes of HTML after which a mail program clips a message.
CLIPPED = 102_400

_LINK = re.compile(r"<a\b[^>]*?href=[\"']([^\"']*)[\"'][^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")

COSTS = {"error": 25, "warning": 10, "tip": 2}


def preview(node: dict[str, Any], given: dict[str, Any], now: float) -> dict[str, Any]:
    """Return a node as a person would get it; what is wrong with its Liquid is told in it."""
    data = {name: value for name, value in given.items() if name != "lax"}
    errors: dict[str, list[str]] = {name: [] for name in ERRORS}

    def shown(text: str, place: str) -> str:
        rendered = render(text, data, strict=not given.get("lax"), now=now)
        errors[place] += [rendered.fault] if rendered.fault else []
        return rendered.text

    written, envelope = node["content"], node["envelope"]
    html = shown(written["html"], "body")
    shown(envelope["recipient"], "to")
    return {
        "node_id": node["uuid"],
        "node_type": "EMAIL",
        "subject": shown(written["subject"], "subject"),
        "preheader_text": shown(written["preheader_text"], "preheader_text"),
        "html": html,
        "text": shown(written["text"], "body_plain"),
        "plaintext_body": _TAG.sub("", html),
        "language": node["language"],
        "links": [
            {"url": url, "text": _TAG.sub("", words).strip(), "tracked": True, "errors": []}
            for url, words in _LINK.findall(html)
        ],
        "errors": errors,
    }


def review(node: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be said against a node, by check."""
    findings = [
        {"id": f"{check}-{number}", "check": check, "severity": severity, "state": "fail", "title": title}
        | ({"details": details} if details else {})
        for number, (check, severity, title, details) in enumerate(_findings(node["content"]))
    ]
    counts = {kind: sum(finding["severity"] == kind for finding in findings) for kind in COSTS}
    score = max(0, 100 - sum(COSTS[kind] * number for kind, number in counts.items()))
    checks = {name: {"status": "skipped" if name == "failed-components" else "complete"} for name in CHECKS}
    return {
        "node_id": node["uuid"],
        "status": "complete",
        "score": {"score": min(score, 60) if counts["error"] else score, "counts": counts},
        "checks": checks,
        "findings": findings,
    }


def _findings(content: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    html = content["html"]
    for name in ("subject", "preheader_text", "html"):
        if fault := analyze(content[name]).fault:
            yield "liquid", "error", "Liquid cannot be rendered", f"{name}: {fault}"
    for url, words in _LINK.findall(html):
        if not url or url == "#":
            yield "links", "error", "A link leads nowhere", _TAG.sub("", words).strip()
        elif url.startswith("http:"):
            yield "links", "warning", "A link is not encrypted", url
    for image in _IMAGE.findall(html):
        if not re.search(r"\balt=", image):
            yield "accessibility", "warning", "An image has no alternative text", image[:200]
    if not content["preheader_text"]:
        yield "preheader", "tip", "There is no preheader", ""
    if "unsubscribe" not in html and "snippets.footer" not in html:
        yield "unsubscribe", "error", "There is no unsubscribe link", ""
    if len(html.encode()) > CLIPPED:
        yield "html-clip", "warning", "Mail programs clip a message of this length", f"{len(html)} characters"
