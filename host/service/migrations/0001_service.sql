-- What the service keeps. Plain SQL that SQLite and PostgreSQL both speak. Times are milliseconds since 1970 (UTC),
-- ids are UUIDs (version 7) as text, hashes and sealed values are text.

-- Facts about this database: which master key it belongs to, and the operators' own data key, wrapped by it.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- 'free' or 'paid'
    plan TEXT NOT NULL,
    -- IANA name: where local times are told
    time_zone TEXT NOT NULL,
    -- BCP 47
    locale TEXT NOT NULL,
    -- JSON array of channel ids: where notices to administrators go
    notice_channels TEXT NOT NULL,
    -- wrapped by the master key
    data_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE members (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- the address in lower case: unique within the organization
    email_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, email_key)
);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    -- none for operators
    organization_id TEXT REFERENCES organizations (id),
    -- whose it is; no foreign key: the token, revoked, outlives its member
    member_id TEXT,
    -- 'publisher', 'member', 'admin', 'operator'
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    -- SHA-256 of the token, hex
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tokens_of_organization ON tokens (organization_id, id);

-- What operators granted to components, by the SHA-256 of the exact file.
CREATE TABLE grants (
    plugin_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    -- JSON array of host patterns; null where everything that the component describes is granted
    hosts TEXT,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (plugin_id, sha256)
);

CREATE TABLE channels (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    alias TEXT NOT NULL,
    -- the alias in lower case: unique within the organization
    alias_key TEXT NOT NULL,
    type TEXT NOT NULL,
    -- JSON object, without secrets
    settings TEXT NOT NULL,
    -- keyed hash of what the type's target fields hold
    target TEXT NOT NULL,
    -- null, or why it is paused: JSON with by, kind, code, message, remedy
    paused TEXT,
    paused_at BIGINT,
    -- when administrators were last told of a message that was rejected here
    rejection_told_at BIGINT,
    -- counts its edits: the ETag
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, alias_key)
);

CREATE TABLE channel_secrets (
    channel_id TEXT NOT NULL REFERENCES channels (id),
    field TEXT NOT NULL,
    -- sealed with the organization's data key, bound to channel and field
    sealed TEXT NOT NULL,
    -- a URL's origin, in clear
    origin TEXT,
    PRIMARY KEY (channel_id, field)
);

-- Accepted events. No foreign keys from here on: these tables are written thousands of times a second.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    -- the publisher's id or idempotency key, or the service's own
    event_key TEXT NOT NULL,
    -- SHA-256 over what was asked: the same key with another content is a conflict
    fingerprint TEXT NOT NULL,
    -- 'published', 'test', 'notice'
    origin TEXT NOT NULL,
    -- JSON as published
    body TEXT NOT NULL,
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    UNIQUE (organization_id, event_key)
);
CREATE INDEX events_by_age ON events (accepted_at);

-- Queue, log and what people see: one row for each event on its way to each channel.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    -- rises with each: the order of acceptance
    seq BIGINT NOT NULL,
    organization_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    target TEXT NOT NULL,
    -- 'queued', 'sending', 'waiting', 'delivered', 'failed', 'held', 'folded', 'cancelled'
    status TEXT NOT NULL,
    -- 0 for critical events, else 1: the smaller goes first
    priority BIGINT NOT NULL,
    -- when it may be tried, while queued or waiting
    due_at BIGINT NOT NULL,
    -- who sends it now, and until when; the number counts all leases
    lease_owner TEXT,
    lease_number BIGINT NOT NULL,
    lease_until BIGINT,
    -- attempts that count: throttled ones and lost leases do not
    attempts BIGINT NOT NULL,
    unknown_outcomes BIGINT NOT NULL,
    lost_leases BIGINT NOT NULL,
    -- whether people may have got it before it was, or is, sent again
    possible_repeat BIGINT NOT NULL,
    -- since when the 24 hours of retries run; moved on by the time held
    retry_since BIGINT,
    -- why it failed or waits: JSON of a failure
    cause TEXT,
    -- the code within, to find by
    cause_code TEXT,
    receipt TEXT,
    -- 'channel-paused', 'plan', 'grant'
    held_reason TEXT,
    held_at BIGINT,
    -- the delivery that tells this one
    folded_into TEXT,
    ended_at BIGINT
);
-- The head of each target's queue.
CREATE INDEX deliveries_waiting ON deliveries (target, priority, seq) WHERE status IN ('queued', 'waiting');
-- The oldest that is due.
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status IN ('queued', 'waiting');
CREATE INDEX deliveries_sending ON deliveries (lease_until) WHERE status = 'sending';
-- What a change of a channel has to look at.
CREATE INDEX deliveries_waiting_for_channel ON deliveries (channel_id) WHERE status IN ('queued', 'waiting');
CREATE INDEX deliveries_folded ON deliveries (folded_into) WHERE folded_into IS NOT NULL;
CREATE INDEX deliveries_held ON deliveries (channel_id, held_at) WHERE status = 'held';
CREATE INDEX deliveries_of_event ON deliveries (event_id);
CREATE INDEX deliveries_of_channel ON deliveries (channel_id, seq);
CREATE INDEX deliveries_of_organization ON deliveries (organization_id, seq);
CREATE INDEX deliveries_failed ON deliveries (organization_id, seq) WHERE status = 'failed';
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL,
    -- the lease's number: from 1, one for each attempt and each lost lease
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    took_ms BIGINT,
    -- 'delivered', 'failed', 'lost'
    outcome TEXT NOT NULL,
    -- JSON of the failure
    failure TEXT,
    -- JSON array of what the component logged
    log TEXT,
    PRIMARY KEY (delivery_id, number)
);

-- Pace and circuit breaker of targets that are not at rest.
CREATE TABLE targets (
    target TEXT PRIMARY KEY,
    -- when the pace's allowance is whole again (GCRA's theoretical arrival time)
    turn_at BIGINT NOT NULL,
    -- nothing is sent there before
    not_before BIGINT NOT NULL,
    -- failures in a row
    failures BIGINT NOT NULL,
    -- the last word that blamed the channel, and how often it came in a row
    word TEXT,
    word_count BIGINT NOT NULL
);

-- Every change, chained: each hash is keyed by the organization and covers the one before it.
CREATE TABLE audit (
    -- an organization's id, or 'operator' for what belongs to none
    chain TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON: token, name, role
    actor TEXT NOT NULL,
    -- the address that it came from
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    -- JSON: kind, id, name
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    hash TEXT NOT NULL,
    PRIMARY KEY (chain, number)
);

-- The newest row of each chain: its number, its hash, and a keyed hash over both, by which a tail that was cut off is found.
CREATE TABLE audit_heads (
    chain TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash TEXT NOT NULL,
    seal TEXT NOT NULL
);
