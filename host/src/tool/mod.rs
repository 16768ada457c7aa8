//! `muster tool`: the pure computations. With `--json` one JSON object on stdout; without, an explanation.

mod cipher;
mod credentials;
mod numbers;
mod nvs;
mod sign;

use std::fmt::Display;
use std::io::Read;

use clap::{Parser, Subcommand};
use muster::tool::{ToolError, ToolStep};
use serde_json::Value;

use crate::exit::Exit;

/// Arguments of `muster tool`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    tool: Tool,
    /// Print one JSON object instead of an explanation.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    /// Derive the key of local provisioning (Alibaba cipher types 3, 4, 6, 7).
    Cipher(cipher::Cipher),
    /// Sign an API Gateway request read from stdin as JSON.
    Sign(sign::Sign),
    /// Make the MQTT login of a device.
    Credentials(credentials::Credentials),
    /// Check, build or list China Mobile device numbers (CMEI).
    Cmei(Sub<numbers::Cmei>),
    /// Check IMEIs.
    Imei(Sub<numbers::Imei>),
    /// Make the image of an ESP32's NVS partition.
    Nvs(nvs::Nvs),
    /// Hand a registered device's credentials on to firmware and flashers.
    Handover(nvs::Handover),
}

/// A group of commands.
#[derive(Debug, Parser)]
struct Sub<T: clap::FromArgMatches + Subcommand> {
    #[command(subcommand)]
    command: T,
}

/// What a tool found out, for machines and for people.
struct Answer {
    json: Value,
    text: String,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let answer = match args.tool {
        Tool::Cipher(tool) => tool.answer(),
        Tool::Sign(tool) => tool.answer(),
        Tool::Credentials(tool) => tool.answer(),
        Tool::Cmei(tool) => tool.command.answer(),
        Tool::Imei(tool) => tool.command.answer(),
        Tool::Nvs(tool) => tool.answer(),
        Tool::Handover(tool) => tool.answer(),
    }?;
    if args.json {
        println!("{}", answer.json);
    } else {
        println!("{}", answer.text.trim_end());
    }
    Ok(())
}

/// Everything on stdin, up to a bound.
fn stdin() -> Result<String, Exit> {
    const MAX: u64 = 1024 * 1024;
    let mut text = String::new();
    std::io::stdin().take(MAX).read_to_string(&mut text).map_err(|error| {
        Exit::local(format!("stdin: {error}"), "pipe UTF-8 text of at most 1 MiB into it")
    })?;
    Ok(text)
}

/// A value that cannot be used.
fn unusable(why: impl Display) -> Exit {
    Exit::usage(why, "see `--help` of this command")
}

/// An input of a calculator that cannot be used, by the option that gives it.
fn refused(error: ToolError) -> Exit {
    let option =
        ["type", "random", "mac", "tui", "digit", "count", "mode", "platform", "size", "namespace"];
    let dashes = if option.contains(&&*error.input) { "--" } else { "" };
    unusable(format_args!("{dashes}{error}"))
}

/// Steps, one a line.
fn explained<'a>(steps: impl IntoIterator<Item = &'a ToolStep>) -> String {
    steps.into_iter().map(|step| format!("  {:<24}{}\n", step.name, step.value)).collect()
}
