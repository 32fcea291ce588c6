"""Why somebody has no profile, as far as the log of the last 30 days tells."""

from dataclasses import replace

from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import customer_identifiers
from cio_mcp.tools.deliverability.case import Case
from cio_mcp.tools.deliverability.cause import AGENT, CUSTOMER, DEVELOPER, Cause
from cio_mcp.tools.deliverability.failures import of_delivery

IDENTIFY = (
    "Check the identifier (search_customers finds people by attributes); if it is right, the application has "
    "to identify the customer again."
)
FIND = (
    " and call again with it, or find them by other attributes with search_customers. If nothing finds them, "
    "see whether the application identifies them, and in which workspace."
)
BY = f"you, and then {DEVELOPER}"
UNSUPPRESS = "unsuppress_customer lifts it, and only if they ask for it; their profile does not come back."


def of_absence(case: Case) -> Cause:
    """Return why there is no such customer."""
    cause = _of_log(case)
    return cause if "messages" in cause.read else replace(cause, read=("profile", "log"))


def _of_log(case: Case) -> Cause:
    nobody = f"There is no customer {case.customer_id}"
    if case.deliveries:
        return of_delivery(case, case.deliveries[0])
    if merge := _newest(case, "profile_merge"):
        into = ", ".join(f"{name} {value}" for name, value in (customer_identifiers(merge) or {}).items())
        verdict = f"{nobody}: the profile was merged into another{_when(merge)}"
        verdict += f" ({into})" if into else ""
        return Cause("merged", verdict, "certain", "Ask again with the profile that was kept.", AGENT)
    if gone := _suppressed(case, nobody) or _deleted(case, nobody):
        return gone
    if writes := [one for one in case.rejected or [] if one.type == "failed_attribute_change"]:
        why = f": {writes[0].reason}" if writes[0].reason else ""
        when = f" {writes[0].time}" if writes[0].time else ""
        verdict = f"{nobody}: the write that would have created them was dropped{when}{why}"
        return Cause("identify_rejected", verdict, "certain", IDENTIFY, BY)
    find = f"{'Check how it is spelled' if case.email else 'Ask for their email address'}{FIND}"
    verdict = f"Nobody was found: {case.nobody}"
    if any(what.startswith("log") for what in case.unread):
        verdict += "; whether there ever was one is not known, because not all of the log could be read"
        return Cause("unknown", verdict, "unknown", find, BY)
    verdict += ", and no merge, deletion or dropped write of the last 30 days names them"
    return Cause("not_found", verdict, "inferred", find, BY)


def _suppressed(case: Case, nobody: str) -> Cause | None:
    """Say so if an event was dropped: it would have created an unknown id or address, unless suppressed."""
    dropped = [one for one in case.rejected or [] if one.type == "failed_event"]
    if not dropped or case.id_type == "cio_id":
        return None
    deleted = _newest(case, "profile_delete")
    gone = f"their profile was deleted{_when(deleted)}, and " if deleted else ""
    when = f" {dropped[0].time}" if dropped[0].time else ""
    verdict = f"{nobody}: {gone}an event of theirs was dropped{when}, so they are suppressed"
    return Cause("suppressed", verdict, "inferred", UNSUPPRESS, CUSTOMER)


def _deleted(case: Case, nobody: str) -> Cause | None:
    if (deleted := _newest(case, "profile_delete")) is None:
        return None
    verdict = f"{nobody}: the profile was deleted{_when(deleted)}; whether it is suppressed, too, "
    return Cause("deleted", f"{verdict}the API does not say", "certain", IDENTIFY, BY)


def _newest(case: Case, kind: str) -> Fields | None:
    return next((item for item in case.gone or [] if item.text("type") == kind), None)


def _when(item: Fields) -> str:
    return f" {at}" if (at := item.time("timestamp")) else ""
