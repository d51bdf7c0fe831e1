//! Build script: turns the Pub/Sub API's proto file into Rust, without `protoc`, and embeds
//! the Salesforce package.

use std::error::Error;

#[path = "build/embed.rs"]
mod embed;

const PROTO: &str = "src/salesforce/pubsub/pubsub_api.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/build.rs");
    compile_proto()?;
    embed::package_files()?;
    Ok(())
}

/// Client and server code for `eventbus.v1`. Byte fields share the received buffer
/// instead of copying it.
fn compile_proto() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let descriptors = protox::compile([PROTO], ["src/salesforce/pubsub"])?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
