//! The `muster-device` command: `muster device` without a compiler, for devices that have little room.

use std::process::ExitCode;

use muster_host::device::arguments;

fn main() -> ExitCode {
    match arguments::run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            eprintln!("{exit}");
            ExitCode::from(exit.kind as u8)
        }
    }
}
