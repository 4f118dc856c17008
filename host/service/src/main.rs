//! `pqh`: `PyQueryHub`'s notification service and its command line.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    pqh::program::run().await
}
