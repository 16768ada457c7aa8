//! The project's own commands: `cargo xtask <command>`. No other tool has to be installed first.

mod bench;
mod component;
mod device;
mod needs;
mod npm;
mod plugin;
mod shell;
mod test;
mod types;
mod up;
mod wasm;
mod web;

use std::env;
use std::process::ExitCode;

/// Name, what it does, and how it runs.
type Command = (&'static str, &'static str, fn(&[String]) -> shell::Outcome);

const COMMANDS: &[Command] = &[
    ("up", "run the local clouds and the console", up::up),
    ("test", "run all checks, or those that are named", test::test),
    ("bench", "print figures beside their limits", bench::bench),
    ("web", "build the console: www/dist", web::web),
    ("npm", "build the npm package: target/npm/muster-device", npm::npm),
    ("plugin", "build target/plugin/muster.wasm", plugin::plugin),
    ("device", "build target/device/muster-device, the small build for devices", device::device),
    ("types", "write the console's TypeScript types from the declarations in Rust", types::types),
    ("component", "build target/plugin/muster.component.wasm", plugin::component),
];

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, _, _)| *known == name) else {
        if !name.is_empty() && name != "help" && name != "--help" {
            eprintln!("error: no command `{name}`");
        }
        eprintln!("cargo xtask <command>");
        for (name, what, _) in COMMANDS {
            eprintln!("  {name:10} {what}");
        }
        return ExitCode::from(2);
    };
    match run(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
