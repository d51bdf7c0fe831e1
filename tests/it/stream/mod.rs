//! The event stream end to end: our subscriber against the simulated Pub/Sub API.

mod faults;
mod service;
mod world;
