//! A Salesforce org on loopback: real wire protocols, real rules, invented data.

pub mod formula;
pub mod metadata;
pub mod model;
