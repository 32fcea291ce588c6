"""What people do: they sign up, log in, look at plans, buy, and some unsubscribe or are never seen again."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cio_mcp.sandbox.lives.people import DAY, TRIAL, Character

PRICES = {"pro": 96, "team": 480}
YEAR = 365 * DAY

# After so many seconds with Quill all that people begin with has happened.
BEGINNINGS = 73 * DAY

# What a person does that Quill asks a message for: by which template it confirms an order.
ORDERS, CONFIRMATION = "orders", 1

# Seconds between a purchase and its order.
ORDERED_AFTER = 2


class Act(NamedTuple):
    """Something that a person does at a time: a write that Quill sends, by name, with its body."""

    at: int
    what: str
    body: dict[str, Any]


def acts(person: Character, since: int, until: int) -> list[Act]:
    """Return what a person does from `since` to before `until`, the first first."""
    begins = since < person.signs_up + BEGINNINGS
    every = [*_begins(person), *_tries(person)] if begins else []
    every += [*_buys(person, since - ORDERED_AFTER, until), *_comes(person, since, until)]
    return sorted((act for act in every if since <= act.at < until), key=lambda act: act.at)


def _does(at: int, name: str, **data: Any) -> Act:
    return Act(at, "event", {"name": name, "data": data})


def _is(at: int, **attributes: Any) -> Act:
    return Act(at, "identify", attributes)


def _begins(person: Character) -> Iterator[Act]:
    at = person.signs_up
    plan = "trial" if person.tries else person.buys or "free"
    yield _is(at, **person.profile, plan=plan, created_at=at)
    yield _does(at + 1, "signed_up")
    if person.share("phone") < 0.3:
        device = {"id": f"device-{person.id}", "platform": "ios" if person.share("ios") < 0.6 else "android"}
        yield Act(at + 60, "add_device", device)
    if person.share("unsubscribes") < 0.06:
        yield _is(at + int((2 + person.share("unsubscribes", "after") * 70) * DAY), unsubscribed=True)


def _tries(person: Character) -> Iterator[Act]:
    """Yield how a trial ends."""
    if not person.tries:
        return
    if person.buys:
        yield _is(person.first_order, plan=person.buys)
    else:
        yield _is(person.signs_up + TRIAL, plan="free")
    if person.buys or person.share("looks") < 0.6:
        at = person.first_order - 300
        yield Act(at, "event", {"type": "page", "name": "https://quill.example.com/plans"})


def _buys(person: Character, since: int, until: int) -> Iterator[Act]:
    """Yield the orders: the plan, each year again, and now and then a printed notebook."""
    if not person.buys:
        return
    first, price = person.first_order + 5, PRICES[person.buys]
    for at in (first, *_regularly(first + YEAR, YEAR, since, until)):
        yield from _order(person, at, price, f"{person.buys} plan")
    gap = person.notebooks
    for at in _regularly(first + gap, gap, max(since, person.begins), until):
        yield from _order(person, at, 24, "printed notebook")


def _order(person: Character, at: int, amount: int, product: str) -> Iterator[Act]:
    yield _does(at, "purchase", amount=amount, product=product)
    if at >= person.begins:
        number = f"{person.number + 1}-{(at - person.begins) // DAY + 1000}"
        items = [{"name": product, "price": amount}]
        yield Act(at + ORDERED_AFTER, ORDERS, {"order_id": number, "items": items})


def _comes(person: Character, since: int, until: int) -> Iterator[Act]:
    """Yield the logins: by habit, until a person is never seen again. Of older ones the last is told."""
    gap, ends = person.logins, int(min(until, person.leaves))
    since = max(since, min(person.begins, ends - gap))
    for at in _regularly(person.signs_up + 120, gap, since, ends, person):
        yield _does(at, "login")


def _regularly(
    first: int, gap: int, since: int, until: int, person: Character | None = None
) -> Iterator[int]:
    """Yield times that lie a gap apart; those of a person up to half a gap later."""
    for number in range(max(0, (since - first) // gap - 1), max(0, (until - first) // gap + 1)):
        late = int(person.share("login", number) * gap / 2) if person and number else 0
        if since <= (at := first + number * gap + late) < until:
            yield at
