//! One binary for every test that needs a world: real processes, real wires, a real database.

mod architecture;
mod docs;
mod kill;
mod processes;
mod salesforce_client;
mod serve;
mod stream;
