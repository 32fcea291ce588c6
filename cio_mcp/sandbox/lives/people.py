"""Who the people are, by their numbers, and when they sign up: some before the story, then one by one."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from cio_mcp.sandbox.engine.chance import share, shares

DAY = 86_400

# When the story is planted it has gone on for so many days, with so many people, of whom some are older.
DAYS, PEOPLE, OLDER = 90, 188, 116

# Seconds between two who sign up, since the story goes on and before.
BETWEEN, BETWEEN_OLDER = DAYS * DAY // (PEOPLE - OLDER), 4 * DAY

TRIAL = 14 * DAY

NAMES = (
    *("Amara NG", "Anouk FR", "Arjun IN", "Astrid NO", "Beatriz PT", "Callum GB", "Carmen ES", "Chloe FR"),
    *("Daiki JP", "Dmitri EE", "Elif TR", "Enzo IT", "Esther GH", "Felix DE", "Freya DK", "Gita IN"),
    *("Hugo FR", "Ibrahim EG", "Ilse NL", "Jack IE", "Joana BR", "Kofi GH", "Lars SE", "Leila MA"),
    *("Luca IT", "Malik PK", "Marta PL", "Mei SG", "Nadia TN", "Noah US", "Olga FI", "Pablo MX"),
    *("Priya IN", "Quentin BE", "Rosa CL", "Sami FI", "Tariq AE", "Uma IN", "Wanjiru KE", "Yuki JP"),
)
SURNAMES = (
    *("abbott", "almeida", "bakker", "banda", "berg", "castro", "cohen", "costa", "dias", "dubois"),
    *("eriksen", "fischer", "garcia", "gupta", "haas", "hansen", "ito", "jansen", "kamau", "keller"),
    *("khan", "larsen", "lopez", "martin", "mensah", "meyer", "moreau", "nowak", "okafor", "patel"),
    *("petit", "ricci", "rossi", "sato", "silva", "tanaka", "varga", "weber", "yilmaz", "zhang"),
)
MOST = len(NAMES) * len(SURNAMES)
FRENCH = {"BE", "FR", "MA", "TN"}


@dataclass(frozen=True)
class Character:
    """One of them; `begins` is when the story does."""

    seed: str
    number: int
    begins: int
    signs_up: int

    @cached_property
    def share(self) -> Callable[..., float]:
        """Returns a number from 0 to 1 that is this person's."""
        return shares(self.seed, "person", self.number)

    @property
    def id(self) -> str:
        """The id that Quill gave them."""
        return f"u_{3001 + self.number}"

    @property
    def profile(self) -> dict[str, Any]:
        """What Quill knows of them at first."""
        # 617 and the number of names have no factor in common: no two people have the same name.
        name = self.number * 617 % MOST
        first, country = NAMES[name % len(NAMES)].split()
        surname, host = SURNAMES[name // len(NAMES)], ("com", "net", "org")[int(self.share("host") * 3)]
        address = f"{first.lower()}.{surname}@example.{host}"
        language = {"language": "fr"} if country in FRENCH else {}
        return {"email": address, "first_name": first, "country": country, **language}

    @cached_property
    def buys(self) -> str:
        """The plan that they will buy, or blank."""
        drawn = self.share("buys")
        return "pro" if drawn < 0.32 else "team" if drawn < 0.42 else ""

    @cached_property
    def tries(self) -> bool:
        """Whether they begin with a trial; others, and all from before the story, have a plan at once."""
        return self.signs_up >= self.begins and self.share("tries") < 0.8

    @cached_property
    def first_order(self) -> int:
        """When somebody who buys orders a plan."""
        wait = 1 + self.share("first order") * 12 if self.tries else 0.02
        return self.signs_up + int(wait * DAY)

    @cached_property
    def notebooks(self) -> int:
        """After how many seconds somebody who buys orders another notebook."""
        return int((50 + 150 * self.share("notebooks")) * DAY)

    @cached_property
    def logins(self) -> int:
        """About how many seconds lie between two logins."""
        return int((15 + 60 * self.share("logs in")) * DAY)

    @cached_property
    def leaves(self) -> float:
        """When they are seen for the last time, infinite if they stay."""
        if self.share("leaves") >= 0.3:
            return math.inf
        return self.signs_up + int((5 + self.share("leaves", "after") * 300) * DAY)


@lru_cache(maxsize=2048)  # what is drawn of one is drawn once
def person(seed: str, number: int, planted: int) -> Character:
    """Return one of them, of a story that was planted at a time."""
    late, begins = number - OLDER, planted - DAYS * DAY
    between = BETWEEN if late >= 0 else BETWEEN_OLDER
    return Character(seed, number, begins, begins + int((late + share(seed, "signs up", number)) * between))
