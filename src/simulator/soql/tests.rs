//! Queries against a whole org.
