"""Why somebody has no profile, as far as the log of the last 30 days tells."""

from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.things import identifiers
from cio_mcp.tools.deliverability.case import Case
from cio_mcp.tools.deliverability.cause import AGENT, CUSTOMER, DEVELOPER, Cause
from cio_mcp.tools.deliverability.failures import of_delivery

IDENTIFY = "Check the identifier; if it is right, identify the customer again."
UNSUPPRESS = "unsuppress_customer lifts it, and only if they ask for it; their profile does not come back."


def of_absence(case: Case) -> Cause:
    """Return why there is no such customer."""
    nobody = f"There is no customer {case.customer_id}"
    if case.deliveries:
        return of_delivery(case, case.deliveries[0])
    if merge := _newest(case, "profile_merge"):
        into = ", ".join(f"{name} {value}" for name, value in (identifiers(merge) or {}).items())
        verdict = f"{nobody}: the profile was merged into another {merge.time('timestamp')} ({into})"
        return Cause("merged", verdict, "certain", "Ask again with the profile that was kept.", AGENT)
    deleted = _newest(case, "profile_delete")
    dropped = [one for one in case.rejected or [] if one.type == "failed_event"]
    # An event would have created an unknown id or address, unless it is suppressed.
    if dropped and case.id_type != "cio_id":
        gone = f"their profile was deleted {deleted.time('timestamp')}, and " if deleted else ""
        verdict = f"{nobody}: {gone}an event of theirs was dropped {dropped[0].time}, so they are suppressed"
        return Cause("suppressed", verdict, "inferred", UNSUPPRESS, CUSTOMER)
    if deleted:
        verdict = (
            f"{nobody}: the profile was deleted {deleted.time('timestamp')}; whether it is suppressed, too, "
        )
        return Cause("deleted", f"{verdict}the API does not tell", "certain", IDENTIFY, DEVELOPER)
    if case.rejected:
        why = f": {case.rejected[0].reason}" if case.rejected[0].reason else ""
        verdict = f"{nobody}: the write that would have created them was dropped {case.rejected[0].time}{why}"
        return Cause("identify_rejected", verdict, "certain", IDENTIFY, DEVELOPER)
    verdict = f"{nobody}, and the log of the last 30 days names none: they were probably never created"
    if case.gone is None:
        verdict = f"{nobody}; whether there ever was cannot be known, as the log could not be read"
    return Cause("never_created", verdict, "inferred", IDENTIFY, DEVELOPER)


def _newest(case: Case, kind: str) -> Fields | None:
    return next((item for item in case.gone or [] if item.text("type") == kind), None)
