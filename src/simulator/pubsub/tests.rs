//! The service, over a real connection.
