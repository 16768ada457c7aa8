//! The plugin as it is embedded, beside its budgets, and what one instance costs.

use std::time::Instant as Clock;

use muster_host::plugin::{Engine, Limits, embedded, embedded_bytes};

use super::Figure;

const BYTES: f64 = 110_000.0;
const PAGES: f64 = 1.0;

/// Size, initial memory, and the time to instantiate beside the time to compile.
pub(super) fn figures() -> Vec<Figure> {
    let engine = Engine::new(Limits::default()).expect("the default limits are valid");
    let begin = Clock::now();
    let plugin = embedded(&engine).expect("the embedded plugin loads");
    let compile = begin.elapsed().as_secs_f64() * 1e6;
    let pages = plugin.shape().initial_pages.unwrap_or_default() as f64;
    const ROUNDS: u32 = 1_000;
    let begin = Clock::now();
    for _ in 0..ROUNDS {
        plugin.instantiate().expect("the embedded plugin instantiates");
    }
    let instantiate = begin.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
    let bytes = embedded_bytes().len() as f64;
    vec![
        Figure {
            name: "plugin, all four platforms".into(),
            unit: "bytes",
            ours: bytes,
            other: BYTES,
            beside: "budget".into(),
            ratio: bytes / BYTES,
            more_is_better: false,
            how: "the core module as it is embedded in this host".into(),
        },
        Figure {
            name: "initial memory of the plugin".into(),
            unit: "pages",
            ours: pages,
            other: PAGES,
            beside: "budget".into(),
            ratio: pages / PAGES,
            more_is_better: false,
            how: "declared by the module".into(),
        },
        Figure {
            name: "instantiation".into(),
            unit: "µs",
            ours: instantiate,
            other: compile,
            beside: "compiling it once".into(),
            ratio: instantiate / compile,
            more_is_better: false,
            how: format!(
                "mean of {ROUNDS}, store included, on demand; compiling with Cranelift, once"
            ),
        },
    ]
}
