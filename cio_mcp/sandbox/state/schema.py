"""The tables of a workspace's database.

`world` is one row: since when the sandbox is used and when it was last, in real time, its clock and what
chance depends on. `log` is only ever added to: an entry with a `timestamp` is one of the activities that the
App API tells, and `cause` is the number of an earlier entry. `timers` hold what is to be done at a time;
there is one with a `key`. `requests` are those that have changed something since the oldest point, as they
came, with the sandbox's time and the real one; a point's `requested` is the number of the last before it.
`matches` tells who fits the trigger of a campaign that segments trigger. A delivery's `states` are the times
at which it reaches each, which may be still to come.
"""

import zlib

SCHEMA = """
CREATE TABLE IF NOT EXISTS world (
  since REAL NOT NULL, seen REAL NOT NULL, ahead REAL NOT NULL, frozen REAL, seed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (
  cio_id TEXT PRIMARY KEY, id TEXT UNIQUE, email TEXT UNIQUE COLLATE NOCASE, attributes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS phones ON people (json_extract(attributes, '$.phone'));
CREATE TABLE IF NOT EXISTS devices (
  cio_id TEXT NOT NULL, id TEXT NOT NULL, platform TEXT, last_used INTEGER, PRIMARY KEY (cio_id, id));
CREATE TABLE IF NOT EXISTS objects (
  number INTEGER PRIMARY KEY, object_type_id INTEGER NOT NULL, object_id TEXT NOT NULL,
  attributes TEXT NOT NULL DEFAULT '{}', UNIQUE (object_type_id, object_id));
CREATE TABLE IF NOT EXISTS relationships (
  number INTEGER PRIMARY KEY, cio_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  UNIQUE (cio_id, object));
CREATE TABLE IF NOT EXISTS anonymous_relationships (
  anonymous_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  PRIMARY KEY (anonymous_id, object));
CREATE TABLE IF NOT EXISTS members (
  segment_id INTEGER NOT NULL, cio_id TEXT NOT NULL, PRIMARY KEY (segment_id, cio_id));
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY, cio_id TEXT, anonymous_id TEXT, type TEXT NOT NULL, name TEXT NOT NULL,
  data TEXT NOT NULL, timestamp INTEGER NOT NULL, event_id TEXT UNIQUE);
CREATE INDEX IF NOT EXISTS events_of_people ON events (cio_id, name, timestamp);
CREATE TABLE IF NOT EXISTS log (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, cio_id TEXT, name TEXT, cause INTEGER,
  timestamp INTEGER, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_of_people ON log (cio_id);
CREATE INDEX IF NOT EXISTS activities ON log (timestamp, number) WHERE timestamp IS NOT NULL;
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, really REAL NOT NULL,
  what TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suppressed (identifier TEXT PRIMARY KEY COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS timers (
  number INTEGER PRIMARY KEY, due REAL NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL, cause INTEGER,
  key TEXT UNIQUE);
CREATE INDEX IF NOT EXISTS due_timers ON timers (due, number);
CREATE TABLE IF NOT EXISTS things (kind TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS triggers (broadcast_id INTEGER NOT NULL, id INTEGER NOT NULL,
  created_at INTEGER NOT NULL, really_at REAL NOT NULL, errors TEXT NOT NULL,
  PRIMARY KEY (broadcast_id, id));
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY, id TEXT UNIQUE, cio_id TEXT, created INTEGER NOT NULL, entry INTEGER NOT NULL,
  type TEXT NOT NULL, campaign_id INTEGER, action_id INTEGER, journey INTEGER, states TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_of_people ON deliveries (cio_id);
CREATE INDEX IF NOT EXISTS deliveries_of_campaigns ON deliveries (campaign_id);
CREATE INDEX IF NOT EXISTS deliveries_of_journeys ON deliveries (journey);
CREATE TABLE IF NOT EXISTS journeys (
  number INTEGER PRIMARY KEY, campaign_id INTEGER NOT NULL, cio_id TEXT NOT NULL, started INTEGER NOT NULL,
  entry INTEGER NOT NULL, data TEXT NOT NULL, activated INTEGER, messaged INTEGER, converted INTEGER,
  ended INTEGER, outcome TEXT);
CREATE INDEX IF NOT EXISTS journeys_of_people ON journeys (cio_id, campaign_id);
CREATE INDEX IF NOT EXISTS journeys_of_campaigns ON journeys (campaign_id, started);
CREATE TABLE IF NOT EXISTS matches (
  campaign_id INTEGER NOT NULL, cio_id TEXT NOT NULL, PRIMARY KEY (campaign_id, cio_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, met INTEGER NOT NULL DEFAULT 0,
  struck INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS points (
  number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, at INTEGER NOT NULL, made INTEGER NOT NULL,
  position INTEGER NOT NULL, requested INTEGER NOT NULL, copy BLOB NOT NULL);
"""

# Kept in the file: a file with another version is migrated, unless its form is a later one.
VERSION = zlib.crc32(SCHEMA.encode()) & 0x7FFFFFFF

# The number of the form that files have. It goes up with each release that has other tables than the last.
FORM = 1
