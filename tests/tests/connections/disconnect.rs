//! Workspaces that are disconnected, lost and connected again, and what becomes of their channels.
