//! `cargo xtask npm`: the npm package `muster-device`, from the sources that the console is made of.
//!
//! | step | from | to |
//! | --- | --- | --- |
//! | folder | `www/package`, `www/src/muster`, the modules | `target/npm/muster-device/` |
//! | tarball | the folder, as `npm publish` would send it | `target/npm/muster-device-<version>.tgz` |
//!
//! Its tests (`www/package/tests`) install the tarball into folders of their own, without a network.

use std::fs;
use std::path::PathBuf;

use crate::shell::{Outcome, command, run, target_dir};
use crate::web;

/// Makes it; prints where it is.
pub(crate) fn npm(args: &[String]) -> Outcome {
    if let Some(unknown) = args.first() {
        return Err(format!("`cargo xtask npm` takes no argument `{unknown}`"));
    }
    println!("{}", build()?.display());
    Ok(())
}

/// Makes folder and tarball; the result is the tarball.
pub(crate) fn build() -> Outcome<PathBuf> {
    // Held to the end: what is read here, another command would make anew.
    let _alone = web::begin()?;
    let place = target_dir().join("npm");
    let folder = place.join("muster-device");
    let mut node = command("node", &["package/build.mjs"]);
    node.arg(&folder).current_dir(web::www());
    run(node)?;
    // As it will be published: nothing of this runs a script.
    let mut pack = command("npm", &["pack", "--silent", "--ignore-scripts", "--pack-destination"]);
    pack.arg(&place).current_dir(&folder);
    let output = pack.output().map_err(|e| format!("npm could not be started: {e}"))?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || !name.ends_with(".tgz") {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`npm pack` failed ({}): {name} {why}", output.status));
    }
    Ok(place.join(name))
}

/// The package's own tests; the host is the other end of those that use a network.
pub(crate) fn test() -> Outcome {
    let tarball = build()?;
    let folder = web::www().join("package/tests");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".test.mjs"))
        .collect();
    files.sort();
    let mut tests = command("node", &["--test", "--test-concurrency=2", "--test-reporter=spec"]);
    tests.args(files).current_dir(folder).env("MUSTER_NPM", tarball);
    run(tests)
}
