"""The customer in question: found by what identifies them, or else by their name."""

import re

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import CustomerIOError, InvalidArgument, Refused
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import customer_identifiers
from cio_mcp.toolkit.people.profiles import NAMES, matching
from cio_mcp.tools.deliverability.case import Case

# One or several words of letters: a person's name, and seldom an id.
_NAME = re.compile(r"[^\W\d_]+([ .'\u2019-]+[^\W\d_]+)*\.?")

# Of several people with one name, those that are told.
TOLD = 5


async def find_person(app: AppApi, case: Case) -> None:
    """Read the profile; by email as well where the identifier looks like one, and by name at last.

    Raises InvalidArgument if several people have the name.
    """
    await _read_profile(app, case)
    if case.missing and case.id_type == "id" and _NAME.fullmatch(case.customer_id):
        await _find_by_name(app, case, case.customer_id)


async def _read_profile(app: AppApi, case: Case) -> None:
    kinds: list[AnyIdType] = [case.id_type]
    kinds += ["email"] if case.id_type == "id" and "@" in case.customer_id else []
    for kind in kinds:
        path, query = "/v1/customers/{customer_id}/attributes", {"id_type": kind}
        try:
            answer = Fields(await app.get(path, query, customer_id=app.person(case.customer_id, kind)))
            case.profile = answer.inside("customer", "attributes", "identifiers")
        except CustomerIOError as error:
            if not isinstance(error, Refused) or error.status != 404:
                case.errors.append(error)
                case.unread.append(f"profile: {error.what}")
                return
            case.searched.append("email address" if kind == "email" else kind)
            continue
        case.id_type, case.unsubscribed, case.missing = kind, case.profile.flag("unsubscribed"), False
        return
    case.missing = True


async def _find_by_name(app: AppApi, case: Case, name: str) -> None:
    # Where names are hidden, whether somebody has this one would confirm a guess.
    if any(app.call.conceal({field: name}) != {field: name} for field in NAMES):
        return
    named = [
        {"attribute": {"field": field, "operator": "eq", "value": spelled}}
        for field in NAMES
        for spelled in dict.fromkeys((name, name.title()))
    ]
    found = await case.read("people of this name", _people(app, {"or": named}))
    if found is not None:
        case.searched += [field.replace("_", " ") for field in NAMES]
    known = [who for one in found or [] if (who := customer_identifiers(one))]
    if len(known) > 1:
        told = "; ".join(map(_told, known[:TOLD])) + ("; and more" if len(known) > TOLD else "")
        raise InvalidArgument(
            f"customer_id: nobody has the id {name}; give the id of one of those who have that name: {told}"
        )
    for who in known:
        kinds: tuple[AnyIdType, ...] = ("id", "email", "cio_id")
        case.id_type = next(kind for kind in kinds if kind in who)
        case.customer_id = who[case.id_type]
        case.notes.append(
            f"customer_id: nobody has the id {name}; used instead is the only customer of that name: "
            f"{_told(who)}"
        )
        await _read_profile(app, case)


async def _people(app: AppApi, condition: dict[str, object]) -> list[Fields]:
    answer = await matching(app, condition, TOLD + 1)
    return [Fields({"identifiers": one.raw}) for one in answer.listed("identifiers")]


def _told(who: dict[str, str]) -> str:
    return ", ".join(f"{kind} {value}" for kind, value in who.items() if kind != "cio_id" or len(who) == 1)
