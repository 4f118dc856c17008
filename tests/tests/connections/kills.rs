//! Renewals that are cut off at random moments lose no connection that the service still honours.
