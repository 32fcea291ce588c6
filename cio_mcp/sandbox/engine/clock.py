"""The sandbox's time of day: real time plus an offset, or frozen. It is kept in the workspace's database."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# After so many seconds in which nobody used a file its time stood still.
DISUSE = 3600

# Uses are noted once in so many seconds: a request that only reads need not write.
NOTED_EVERY = 60


def _span(seconds: float) -> str:
    days, rest = divmod(round(seconds), 86_400)
    parts = [(days, "d"), (rest // 3600, "h"), (rest % 3600 // 60, "min"), (rest % 60, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


@dataclass(frozen=True)
class ClockReading:
    """What a clock shows: the time, by how many seconds it differs from real time, and if it stands."""

    now: float
    ahead: float
    frozen: bool

    @property
    def differs(self) -> bool:
        """Whether it is another time than the real one, or will be."""
        return self.frozen or abs(self.ahead) >= 1

    def __str__(self) -> str:
        if not self.differs:
            return "real time"
        off = "at real time" if abs(self.ahead) < 1 else f"{_span(abs(self.ahead))} {self._side} real time"
        return f"{off}, frozen" if self.frozen else off

    @property
    def _side(self) -> str:
        return "ahead of" if self.ahead > 0 else "behind"


class Clock:
    """The time of day of a sandbox in unix seconds, which all processes that use its database share.

    `real` is the real time. While something is done its time stands at one moment.
    """

    def __init__(self, db: sqlite3.Connection, real: Callable[[], float]) -> None:
        self._db = db
        self.real = real
        self._pinned: float | None = None
        self._really: float | None = None

    def begin(self) -> None:
        """Let a new database begin at real time, and one in disuse where its time stood."""
        now = self.real()
        begun = "INSERT INTO world SELECT ?, ?, 0, NULL, 'quill' WHERE NOT EXISTS (SELECT 1 FROM world)"
        self._db.execute(begun, (now, now))
        unused = now - self._db.execute("SELECT seen FROM world").fetchone()[0]
        # A real clock that was set back would take the sandbox's time back with it.
        stood = unused if unused < 0 else unused - NOTED_EVERY if unused > DISUSE else 0
        self._db.execute("UPDATE world SET ahead = ahead - ?, seen = ?", (stood, now))

    def is_in_use(self) -> bool:
        """Say whether a use was noted just now, so that there is nothing to note."""
        (seen,) = self._db.execute("SELECT seen FROM world").fetchone()
        return bool(0 <= self.real() - seen < NOTED_EVERY)

    def __call__(self) -> float:
        """Return the time."""
        return self.read().now if self._pinned is None else self._pinned

    def read(self) -> ClockReading:
        """Return what the clock shows."""
        ahead, frozen = self._db.execute("SELECT ahead, frozen FROM world").fetchone()
        real = self.real()
        now = real + ahead if frozen is None else frozen
        return ClockReading(now, now - real, frozen is not None)

    def really(self) -> float:
        """Return the real time at the moment that it is: limits are kept by it."""
        return self() - self.read().ahead if self._really is None else self._really

    def set(self, moment: float) -> None:
        """Let it be another time, from which the clock goes on, or at which it stands if it stood."""
        self._db.execute(
            "UPDATE world SET ahead = ?, frozen = iif(frozen IS NULL, NULL, ?)",
            (moment - self.real(), moment),
        )

    def freeze(self) -> None:
        """Let the clock stand."""
        self._db.execute("UPDATE world SET frozen = ?", (self.read().now,))

    def run(self) -> None:
        """Let a clock that stands go on."""
        moment = self.read().now
        self._db.execute("UPDATE world SET ahead = ?, frozen = NULL", (moment - self.real(),))

    def note_use(self) -> None:
        """Keep that the sandbox is used now."""
        now = self.real()
        self._db.execute(
            "UPDATE world SET seen = ? WHERE seen NOT BETWEEN ? AND ?", (now, now - NOTED_EVERY, now)
        )

    @contextmanager
    def at(self, moment: float, really: float | None = None) -> Iterator[None]:
        """Let it be one moment inside this context, and if it is said, one of real time too."""
        before = self._pinned, self._really
        self._pinned, self._really = moment, self._really if really is None else really
        try:
            yield
        finally:
            self._pinned, self._really = before
