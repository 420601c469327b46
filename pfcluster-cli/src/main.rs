//! `pfcluster`: PacketFence clusters on the command line.

use std::process::ExitCode;

use pfcluster_cli::host::worker::run_as_worker;
use pfcluster_cli::{Env, run};

fn main() -> ExitCode {
    if let Some(status) = run_as_worker() {
        return status;
    }
    run(std::env::args_os(), &mut Env::of_process()).into()
}
