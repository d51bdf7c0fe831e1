//! The ledger on a real file.
