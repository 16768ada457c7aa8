//! Running other programs, and saying plainly when one fails.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Why a step ended; the text is for a person.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}

/// The folder that cargo builds into.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command in the workspace's root, echoed when it runs.
pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// Cargo, without the variables that the cargo running us has set.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = command("cargo", args);
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if (name_text.starts_with("CARGO_")
            && name_text != "CARGO_TARGET_DIR"
            && name_text != "CARGO_HOME")
            || name_text == "RUSTC_WRAPPER_DEPTH"
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with our output, and fails if it fails.
pub(crate) fn run(mut command: Command) -> Outcome {
    let shown = show(&command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` could not be started: {error}")),
    }
}

/// Runs a command and takes what it prints on stdout.
pub(crate) fn printed(command: Command) -> Outcome<String> {
    let (text, ended) = printed_and_ended(command)?;
    ended.map(|()| text)
}

/// The same of a command whose words count even if it fails: what it printed, and how it ended.
pub(crate) fn printed_and_ended(mut command: Command) -> Outcome<(String, Outcome)> {
    let shown = show(&command);
    eprintln!("$ {shown}");
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let failed = || format!("`{shown}` failed ({})", output.status);
            Ok((text, output.status.success().then_some(()).ok_or_else(failed)))
        }
        Err(error) => Err(format!("`{shown}` could not be started: {error}")),
    }
}

/// Whether a program runs at all with these arguments.
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints on stdout.
pub(crate) fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
