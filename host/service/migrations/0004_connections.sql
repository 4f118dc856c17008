-- Workspaces that organizations connected by OAuth, what is on its way there, the targets found in them, and what their
-- services sent to us.

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    type TEXT NOT NULL,
    -- the service's own id for the workspace, its name, and what the component wants to know again
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    memo TEXT NOT NULL,
    -- JSON of the target that was chosen while connecting
    default_target TEXT,
    -- null, or why it has to be connected again: JSON of a failure
    lost TEXT,
    lost_at BIGINT,
    -- people disconnected it; kept for as long as channels use it
    ended_at BIGINT,
    -- when the token expires, where it does
    expires_at BIGINT,
    -- when it is renewed, where it can be; while that is under way, when it was asked for: whoever starts asks again at once
    renew_at BIGINT,
    -- counts the tokens that it had
    generation BIGINT NOT NULL,
    -- who connected it: the token's name
    connected_by TEXT NOT NULL,
    connected_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- the pass over all targets that is under way or was the last; where it goes on; when the last whole one ended
    listing_pass BIGINT NOT NULL DEFAULT 0,
    listing_cursor TEXT,
    listed_at BIGINT
);
-- A workspace belongs to one organization, until that one disconnects it.
CREATE UNIQUE INDEX connections_by_workspace ON connections (type, workspace_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX connections_of_organization ON connections (organization_id, type, workspace_id);
CREATE INDEX connections_to_renew ON connections (type, renew_at, id) WHERE renew_at IS NOT NULL AND ended_at IS NULL AND lost IS NULL;

CREATE TABLE connection_secrets (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    -- the credential's name; empty for the refresh token
    name TEXT NOT NULL,
    -- sealed with the organization's data key, bound to connection and name
    sealed TEXT NOT NULL,
    PRIMARY KEY (connection_id, name)
);

-- A person on the way to a service and back. Of what they carry only hashes are kept.
CREATE TABLE authorizations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    type TEXT NOT NULL,
    -- who began it: the API token's id and name
    token_id TEXT NOT NULL,
    person TEXT NOT NULL,
    -- SHA-256, hex: of the link that begins it, and of what comes back with the person
    link TEXT NOT NULL UNIQUE,
    state TEXT UNIQUE,
    cookie TEXT,
    -- PKCE's verifier, sealed
    verifier TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- when the link was followed, and when the person came back
    followed_at BIGINT,
    returned_at BIGINT
);
CREATE INDEX authorizations_by_age ON authorizations (expires_at);

-- Where in a workspace messages can go, as the service listed it.
CREATE TABLE connection_targets (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    target_id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- in lower case, without what stands before it: what is searched and sorted by
    name_key TEXT NOT NULL,
    -- 'public-channel', 'private-channel', 'person', 'other'
    kind TEXT NOT NULL,
    reachable BIGINT NOT NULL,
    -- the pass that saw it last
    pass BIGINT NOT NULL,
    PRIMARY KEY (connection_id, target_id)
);
CREATE INDEX connection_targets_by_name ON connection_targets (connection_id, name_key, target_id);

-- What a service sent, until it was acted on.
CREATE TABLE inbound (
    id TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL,
    -- JSON of the request, sealed
    request TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);
CREATE INDEX inbound_of_connection ON inbound (connection_id, id);

-- What messages are known by, so that each counts once.
CREATE TABLE inbound_seen (
    type TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (type, message_id)
);
CREATE INDEX inbound_seen_by_age ON inbound_seen (at);

ALTER TABLE channels ADD COLUMN connection_id TEXT REFERENCES connections (id);
CREATE INDEX channels_of_connection ON channels (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX channels_awake_of_connection ON channels (connection_id, id) WHERE connection_id IS NOT NULL AND paused IS NULL;
