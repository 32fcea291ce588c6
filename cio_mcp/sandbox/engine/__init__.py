"""What makes the sandbox live: its clock, chance, conditions, journeys, and why a message came or did not.

A campaign of the story has what the App API tells of it, and what only the sandbox knows:

- `type` event: `event_name`, and `event_filter` (values that the event's data must have);
- `type` segment: `trigger_segment_ids`; `type` date: `date_attribute`, `frequency` (once, monthly, yearly),
  `start_hour`, `start_minutes`, `timezone`, `use_customer_timezone`, `offset_days`;
- who else must fit: `filter_segment_ids`, and `filter` (a condition);
- `reentry`: always (the usual), once, or `{"after_days": 30}`; `exit`: any of unmatched and goal;
- `goal`: `{"condition": …, "days": 7}`; `subscription_topic_id`, without which all get it;
- `workflow`: actions, each with `id`, `type` and `name`, done one after the other. Types of messages have
  `subject`, `sending_state` (automatic, draft, off), `links`, `chances` (see `fates`) and
  `send_to_unsubscribed`; `delay` has `delay` (see `delays`); `conditional_branch` has `if` (a condition),
  `then` and `else` (ids); `attribute_update` has `set`. With `next` an action leads on to another (None: to
  the end).

Segments by rules have `conditions`; `conditions` says what one is.
"""
