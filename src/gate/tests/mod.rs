//! Tests of the gate as a whole: the corpus, properties, the preview's input.

mod corpus;
mod decay;
mod golden;
mod making;
mod naive;
mod narrowing;
mod ordinary;
mod properties;
mod scheduled;
mod words;
pub mod world;
