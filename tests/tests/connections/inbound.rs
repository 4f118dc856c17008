//! What Slack sends: proven, answered at once, acted on once.
