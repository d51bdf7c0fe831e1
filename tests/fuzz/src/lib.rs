//! What the fuzz targets share: policies from bytes, worlds from golden cases, promises of the gate.

pub mod edit;
pub mod policy_text;
pub mod promises;
pub mod world;
