//! The guide's steps, its test section and each of its troubleshooting entries.
