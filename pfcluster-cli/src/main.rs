//! `pfcluster`: PacketFence clusters on the command line.

use std::process::ExitCode;

use pfcluster_cli::{Env, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &mut Env::of_process()).into()
}
