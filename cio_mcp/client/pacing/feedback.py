"""What the answers say about a limit: how long they travel, and how much of the limit is left to us."""

from collections import deque

from cio_mcp.client.call import now
from cio_mcp.client.pacing.buckets import LONG, Bucket

# A slot rests this much longer than the window, for timers that fire early on either side.
PAD = 0.002

# After a 429 that asks for no pause the bucket is shut for a quarter of its window, twice as long after each
# further one in a row, and for so many windows at the most.
LONGEST_PAUSE = 8.0

# After a 429 the used share of the limit falls by this factor, and each second it grows by that much again;
# when no other has come for so many seconds, whoever used the limit too seems gone, and it grows faster.
CUT, RECOVERY, LEAST = 0.7, 0.03, 0.1
QUIET, FASTER = 6.0, 0.1


class Feedback:
    """One bucket's answers, and what follows from them for the next requests."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._trips = _Trips(min(50, bucket.limit))
        self.spacing = 0.0 if bucket.is_quota else (bucket.window + PAD) / bucket.limit  # at full use
        self._share, self._share_at = 1.0, 0.0  # of the limit that is used, and when that was so
        self._in_a_row = 0  # 429s without another answer between them
        self.last_429: float | None = None
        self.held_until = 0.0

    def share(self) -> float:
        """Return the share of the limit that is used now; after a 429 it grows again with time."""
        if self._share < 1.0:
            moment = now()
            quiet = self.last_429 is not None and moment - self.last_429 > QUIET
            grown = (FASTER if quiet else RECOVERY) * (moment - self._share_at)
            self._share, self._share_at = min(1.0, self._share + grown), moment
        return self._share

    def step(self) -> float:
        """Return the seconds between two requests that are evenly spaced."""
        return self.spacing / self.share()

    def rest(self, left: float, came: float) -> float:
        """Return how long a slot rests whose request left and whose answer came at these times."""
        return self._bucket.window / self.share() + PAD - self._trips.shortest_with(came, came - left)

    def answered(self) -> None:
        """Restart the pauses after 429s, since an answer came that is none."""
        self._in_a_row = 0

    def throttled(self, asked: float) -> float:
        """Return for how long to hold the bucket back after a 429: as it asks; else longer each time."""
        # One request in ten seconds cannot go slower than that, so only wider limits are used less.
        wide = self._bucket.limit > 1 and not self._bucket.is_quota
        if wide:
            self._share, self._share_at = max(LEAST, self.share() * CUT), now()
        window = LONG if self._bucket.is_quota else self._bucket.window
        hold = asked or window * min(2.0**self._in_a_row / 4 if wide else 1.0, LONGEST_PAUSE)
        self._in_a_row += 1
        self.last_429 = now()
        self.held_until = max(self.held_until, now() + hold)
        return hold


class _Trips:
    """The shortest round trip of the last two seconds: no request takes less to arrive and return."""

    HORIZON = 2.0

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._times: deque[float] = deque()
        self._shortest: deque[tuple[float, float]] = deque()  # each is shorter than all that came after it

    def shortest_with(self, moment: float, seconds: float) -> float:
        """Add a trip, and return the shortest, or 0 while there are too few to trust."""
        while self._shortest and self._shortest[-1][1] >= seconds:
            self._shortest.pop()
        self._shortest.append((moment, seconds))
        self._times.append(moment)
        while self._times[0] < moment - self.HORIZON:
            self._times.popleft()
        while self._shortest[0][0] < moment - self.HORIZON:
            self._shortest.popleft()
        return self._shortest[0][1] if len(self._times) >= self._enough else 0.0
