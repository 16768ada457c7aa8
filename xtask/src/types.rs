//! `cargo xtask types`: the TypeScript types of what crosses into JavaScript, made from the declarations in Rust.

use std::fs;
use std::path::PathBuf;

use crate::shell::{Outcome, cargo, root};

fn place() -> PathBuf {
    root().join("www/src/muster/data.ts")
}

/// Writes them where the console imports them from.
pub(crate) fn types(_: &[String]) -> Outcome {
    let place = place();
    fs::write(&place, made()?).map_err(|e| format!("cannot write {}: {e}", place.display()))
}

/// Says so if what is committed is not what the declarations say.
pub(crate) fn check() -> Outcome {
    let place = place();
    let there = fs::read_to_string(&place).unwrap_or_default();
    if there == made()? {
        return Ok(());
    }
    Err(format!(
        "{} is not what the declarations in Rust say\nnext: run `cargo xtask types` and commit the result",
        place.display()
    ))
}

fn made() -> Outcome<String> {
    let mut run = cargo(&["run", "--locked", "--quiet", "-p", "muster", "--features", "ts"]);
    run.args(["--example", "typescript"]);
    let output = run.output().map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "the types could not be made ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    // One line for each short comment, so that a change of a field reads as one in a review.
    let text = String::from_utf8_lossy(&output.stdout).replace(" \n", "\n");
    Ok(text)
}
