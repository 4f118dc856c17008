-- Alerts with their checks, quiet hours of channels, and what deliveries know of both.

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- the name in lower case: unique within the organization
    name_key TEXT NOT NULL,
    -- JSON: report, rules, severity, mentions, labels, frequency
    definition TEXT NOT NULL,
    -- after a notification, how long checks that still hold are silent
    cooldown_ms BIGINT NOT NULL,
    -- no trigger is told before; the highest number where nobody said until when
    muted_until BIGINT,
    -- 'pending' or 'triggered': as the last check left it
    state TEXT NOT NULL,
    -- of the incident that is open now: its id, its first check, its last notification, and the channels (JSON array of
    -- ids) that are told of it
    incident_id TEXT,
    triggered_at BIGINT,
    notified_at BIGINT,
    told TEXT NOT NULL,
    -- `at` of the last check that counted, and of the last trigger that people were told of
    last_run BIGINT,
    last_trigger BIGINT,
    -- how many checks came: the number of the last
    checks BIGINT NOT NULL,
    -- counts its edits
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, name_key)
);
CREATE INDEX alerts_of_organization ON alerts (organization_id, id);

-- The channels that an alert tells, in their order.
CREATE TABLE alert_channels (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    channel_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (alert_id, channel_id)
);
CREATE INDEX alert_channels_by_channel ON alert_channels (channel_id);

-- Each check with its verdicts. No foreign keys: written thousands of times a second.
CREATE TABLE checks (
    alert_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- JSON array, one for each rule: metric, comparison, threshold, current, broken
    verdicts TEXT NOT NULL,
    -- the alert's state after it
    state TEXT NOT NULL,
    -- the event that tells people, by the service's own id
    event_id TEXT,
    -- why nobody was told (yet): 'rules-not-met', 'cooldown', 'quiet-hours', 'late', …
    silence TEXT,
    -- SHA-256 over the values that came: the same check again is known by it
    fingerprint TEXT NOT NULL,
    -- by time: a check that comes again is found by it
    PRIMARY KEY (alert_id, at, number)
);
CREATE INDEX checks_by_age ON checks (received_at);

-- JSON array of intervals: days, from, to, time_zone.
ALTER TABLE channels ADD COLUMN quiet_hours TEXT NOT NULL DEFAULT '[]';

ALTER TABLE events ADD COLUMN alert_id TEXT;
ALTER TABLE events ADD COLUMN incident_id TEXT;

ALTER TABLE deliveries ADD COLUMN alert_id TEXT;
ALTER TABLE deliveries ADD COLUMN incident_id TEXT;
ALTER TABLE deliveries ADD COLUMN is_resolution BIGINT NOT NULL DEFAULT 0;
-- null: by the age of its target's queue; 'in-digest': with others, even where critical; 'alone': never with others;
-- 'digest': it is a digest
ALTER TABLE deliveries ADD COLUMN packing TEXT;
-- the end of the quiet hours that it waits for, or waited for
ALTER TABLE deliveries ADD COLUMN quiet_until BIGINT;

-- What has to end before the next of the same alert may go to a channel.
CREATE INDEX deliveries_in_order ON deliveries (alert_id, channel_id, seq)
    WHERE alert_id IS NOT NULL AND status IN ('queued', 'waiting', 'sending', 'held');
CREATE INDEX deliveries_of_incident ON deliveries (incident_id, channel_id, seq) WHERE incident_id IS NOT NULL;
CREATE INDEX deliveries_open_digests ON deliveries (channel_id)
    WHERE packing = 'digest' AND status IN ('queued', 'waiting', 'sending', 'held');
