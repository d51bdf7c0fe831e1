//! Keeps the event stream alive and feeds intake.
//! See src/ARCHITECTURE.md.
