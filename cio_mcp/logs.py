"""Logging to stderr, as text or as JSON: no argument, no secret, and the words of no exception."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, Protocol

# Extra fields of the line that ends a call.
ENDS = ("outcome", "status", "seconds")


class LoggedCall(Protocol):
    """What a line of the log names of the call that is being answered."""

    @property
    def request(self) -> str:
        """The id of its request."""

    @property
    def name(self) -> str:
        """Its tool."""

    @property
    def caller(self) -> str:
        """Whom it is for."""


# The call that is being answered: every line that is logged meanwhile names it.
running: ContextVar[LoggedCall | None] = ContextVar("running", default=None)


def configure(level: str, form: Literal["text", "json"]) -> None:
    """Log to stderr from `level` up, unless the program that we are part of has set up logging already."""
    if logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(form == "json")


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        call = running.get()
        return f"{line} [{call.request}]" if call else line

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name that logging knows
        return fault_place(ei[1]) if isinstance(ei, tuple) and ei[1] else ""


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if call := running.get():
            line |= {"request": call.request, "tool": call.name, "caller": call.caller}
        line |= {name: found for name in ENDS if (found := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = fault_place(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def fault_place(fault: BaseException) -> str:
    """Return a fault's kind and place. Its own words stay out of the log: they can hold personal data."""
    frames = traceback.extract_tb(fault.__traceback__)[-3:]
    return " < ".join((type(fault).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))))
