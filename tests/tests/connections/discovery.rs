//! The targets of a workspace: found page by page, searched meanwhile, kept, and looked for anew.
