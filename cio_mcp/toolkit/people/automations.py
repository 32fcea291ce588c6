"""Automations (campaigns) that a call would start, or can start."""

from collections.abc import Collection, Iterable, Mapping

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import source_state
from cio_mcp.toolkit.people.consequences import Told

# In this state a campaign starts nobody.
ASLEEP = {"draft", "stopped"}

# Seconds for which an event can start campaigns: older ones only fill in the past.
YOUNG = 72 * 3600

# What starts a campaign of these types is told by other fields, or is no change of a person.
KNOWN = {"segment", "event", "form", "date", "relationship", "webhook", "object", "api_triggered"}

# So many automations are told.
MOST = 5


async def started_by_segment(app: AppApi, segment_id: int) -> list[Told]:
    """Return the automations that people start who are put into a segment."""
    found = [each for each in await _awake(app) if segment_id in _triggers(each)]
    segments = await _segments(app, map(_among, found))
    return _some(
        [("joining this segment starts the automation", _name(each), *_for(each, segments)) for each in found]
    )


async def started_by_events(app: AppApi, young: Mapping[str, str]) -> list[Told]:
    """Return the automations that events can start; `young` has names of those that are not too old for it.

    With each name is what has it, in our words. An event of any age can bring people into a segment.
    """
    awake = await _awake(app)
    found = [(name, each) for each in awake if (name := each.text("event_name") or "") in young]
    segments = await _segments(app, [*(_among(each) for _, each in found), *map(_triggers, awake)])
    by_event: list[Told] = [
        (f"{young[name]} starts the automation", _name(each), *_for(each, segments)) for name, each in found
    ]
    return _some([*by_event, *_by_segment(awake, segments)])


async def started_by_change(app: AppApi, written: Collection[str]) -> list[Told]:
    """Return the automations that changed profiles can start; `written` are the names of their attributes."""
    awake = await _awake(app)
    by_date: list[Told] = [
        ("the date in", attribute, "starts the automation", _name(each))
        for each in awake
        if (attribute := each.text("date_attribute")) and attribute in written
    ]
    unknown: list[Told] = [
        ("Customer.io does not say what starts the automation", _name(each))
        for each in awake
        if each.text("type") not in KNOWN and not each.text("event_name") and not _triggers(each)
    ]
    segments = await _segments(app, map(_triggers, awake))
    return _some([*by_date, *_by_segment(awake, segments), *unknown])


async def _awake(app: AppApi) -> list[Fields]:
    # The endpoint takes no parameters and returns everything at once (App API, listCampaigns).
    listed = Fields(await app.get("/v1/campaigns")).listed("campaigns")
    return [each for each in listed if source_state(each) not in ASLEEP]


async def _segments(app: AppApi, named: Iterable[list[int]]) -> list[Fields]:
    """Return all segments, if any is named."""
    if not any(named):
        return []
    return Fields(await app.get("/v1/segments")).listed("segments")


def _by_segment(awake: list[Fields], segments: list[Fields]) -> list[Told]:
    """Return the automations that people start who come into a segment without being put there by hand."""
    by_hand = {each.whole("id") for each in segments if each.text("type") == "manual"}
    return [
        (
            "people can enter the segment",
            _names(triggers, segments),
            "that starts the automation",
            _name(each),
            "if they fit its other conditions, which the API does not report",
        )
        for each in awake
        if (triggers := [number for number in _triggers(each) if number not in by_hand])
    ]


def _for(campaign: Fields, segments: list[Fields]) -> tuple[str, ...]:
    """Return for whom alone an automation starts, as far as the API tells."""
    among = _among(campaign)
    return ("for people in the segment", _names(among, segments)) if among else ()


def _names(numbers: Collection[int], segments: list[Fields]) -> str:
    names = {each.whole("id"): each.text("name") for each in segments}
    return ", ".join(names.get(number) or f"segment {number}" for number in numbers)


def _among(campaign: Fields) -> list[int]:
    return campaign.wholes("filter_segment_ids") or []


def _triggers(campaign: Fields) -> list[int]:
    return campaign.wholes("trigger_segment_ids") or []


def _name(campaign: Fields) -> str:
    return campaign.text("name") or f"campaign {campaign.text('id')}"


def _some(found: list[Told]) -> list[Told]:
    more = len(found) - MOST
    return [*found[:MOST], *([(f"and {more} more automations",)] if more > 0 else [])]
