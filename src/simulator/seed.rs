//! Invented records to start with.
