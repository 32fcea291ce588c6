"""How long requests lately took there and back."""

from collections import deque
from dataclasses import dataclass, field

from cio_mcp.client.call import now


@dataclass
class Trips:
    """The round trips of the last seconds, for the shortest: no request takes less to arrive and return."""

    horizon: float = 2.0
    recent: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, seconds: float) -> None:
        """Add a round trip that ends now."""
        self.recent.append((now(), seconds))
        while self.recent[0][0] < now() - self.horizon:
            self.recent.popleft()

    def shortest(self, limit: int) -> float:
        """Return the shortest, or 0 while there are too few to trust."""
        return min(trip for _, trip in self.recent) if len(self.recent) >= min(50, limit) else 0.0
