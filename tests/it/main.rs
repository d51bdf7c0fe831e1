//! One binary for every test that needs a world: real processes, real wires, a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agents;
mod anchors;
mod architecture;
mod backup;
mod bad_input;
mod batches;
mod brakes;
mod break_glass;
mod budget;
mod checkpoint;
mod conversion;
mod daemon_world;
mod databases;
mod decay;
mod docs;
mod doctor_setup;
mod erase;
mod error_classes;
mod evidence;
mod export;
mod flows;
mod further_object;
mod kill;
mod late_notice;
mod lifecycle;
mod making;
mod metadata;
mod org_refuses;
mod package_docs;
mod people;
mod policy;
mod postgres;
mod postgres_tls;
mod processes;
mod reconcile;
mod record_types;
mod replay;
mod replicas;
mod rollback_many;
mod salesforce_client;
mod serve;
mod stream;
mod two_replicas;
