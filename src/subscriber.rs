//! Keeps the event stream alive and feeds intake.
