//! Tests of the gate as a whole: the corpus, properties, the preview's input.

mod corpus;
mod narrowing;
mod properties;
pub mod world;
