//! The client against small servers that misbehave below and above HTTP.

mod bulk;
mod fake;
mod identity;
mod reads;
mod writes;
