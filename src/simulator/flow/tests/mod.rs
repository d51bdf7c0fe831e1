//! The shipped flows, deployed and run in a simulated org.

mod deploy;
