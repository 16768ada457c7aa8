//! The `muster` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use muster_host::{app, cloud, device, exit::Exit, plugin, tool, up};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Device onboarding on your own machine: local clouds, devices, owners and operators.
#[derive(Parser)]
#[command(name = "muster", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the local clouds (and the page that explains them).
    Up(up::Args),
    /// Bring one device to life: register, log in, heartbeat, update.
    Device(device::Cli),
    /// Bring many devices to life in one process.
    Fleet(device::fleet::Args),
    /// Do what an operator does in a vendor's console, on the local clouds.
    Cloud(cloud::Args),
    /// Do what an owner's app does.
    App(app::Args),
    /// Compute signatures, keys, credentials and device numbers.
    Tool(tool::Args),
    /// Look into plugin files.
    Plugin(plugin::Args),
}

fn main() -> ExitCode {
    let result: Result<(), Exit> = match Cli::parse().command {
        Command::Up(args) => up::run(args),
        Command::Device(cli) => device::command(cli),
        Command::Fleet(args) => device::fleet::run(args),
        Command::Cloud(args) => cloud::run(args),
        Command::App(args) => app::run(args),
        Command::Tool(args) => tool::run(args),
        Command::Plugin(args) => plugin::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            eprintln!("{}", muster_host::text::harmless(&exit.to_string()));
            ExitCode::from(exit.kind as u8)
        }
    }
}
