//! Each way in which a workspace is not connected: its page, and that nothing is left behind.
