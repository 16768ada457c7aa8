//! `cargo xtask bench`: our figures beside limits and peers.

use crate::shell::{Outcome, cargo, run};
use crate::{needs, wasm};

/// Builds and runs the benchmark; its arguments are passed on.
pub(crate) fn bench(args: &[String]) -> Outcome {
    wasm::ensure_target()?;
    let mut bench = cargo(&["bench", "--locked", "-p", "muster-host", "--bench", "figures", "--"]);
    bench.args(args);
    for (name, value) in needs::prepare()? {
        bench.env(name, value);
    }
    run(bench)
}
