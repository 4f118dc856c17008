//! Tokens that expire: renewed ahead of time, once, and kept before the old are forgotten.
