//! `src/domain` and `src/gate` of the daemon, compiled with nothing around them.
//!
//! That this compiles proves that the core is pure: there is no async runtime, no database and no
//! HTTP among the dependencies. All unit tests of the two modules run here too, in seconds. Mutation
//! testing uses that: `tests/nightly.sh mutants`.

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/gate/mod.rs"]
pub mod gate;
