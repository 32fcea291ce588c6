"""Who the people are, by their numbers, and when they sign up: some before the story, then one by one."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

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


class Character(NamedTuple):
    """One of them, and what is drawn of them; `begins` is when the story does.

    `share` returns a number from 0 to 1 that is this person's, `tries` says whether they begin with a trial,
    `buys` is the plan that they will buy, or blank, and `first_order` when. Another notebook is ordered every
    `notebooks` seconds, about `logins` seconds lie between two logins, and `leaves` is when they are seen for
    the last time, infinite if they stay.
    """

    number: int
    begins: int
    signs_up: int
    share: Callable[..., float]
    tries: bool
    buys: str
    first_order: int
    notebooks: int
    logins: int
    leaves: float

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


@lru_cache(maxsize=2048)  # what is drawn of one is drawn once
def person(seed: str, number: int, planted: int) -> Character:
    """Return one of them, of a story that was planted at a time."""
    late, begins = number - OLDER, planted - DAYS * DAY
    between = BETWEEN if late >= 0 else BETWEEN_OLDER
    signs_up = begins + int((late + share(seed, "signs up", number)) * between)
    drawn = shares(seed, "person", number)
    # Those from before the story have a plan at once, and so have some later ones.
    tries = signs_up >= begins and drawn("tries") < 0.8
    chosen = drawn("buys")
    buys = "pro" if chosen < 0.32 else "team" if chosen < 0.42 else ""
    wait = 0.02 if not tries else 1 + drawn("first order") * 12
    stays = drawn("leaves") >= 0.3
    return Character(
        number,
        begins,
        signs_up,
        drawn,
        tries,
        buys,
        first_order=signs_up + int(wait * DAY),
        notebooks=int((50 + 150 * drawn("notebooks")) * DAY) if buys else 0,
        logins=int((15 + 60 * drawn("logs in")) * DAY),
        leaves=math.inf if stays else signs_up + int((5 + drawn("leaves", "after") * 300) * DAY),
    )
