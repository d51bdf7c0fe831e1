//! The event stream end to end: our subscriber against the simulated Pub/Sub API.

mod content;
mod faults;
mod network;
mod places;
mod served;
mod service;
mod world;
