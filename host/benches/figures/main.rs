//! Our figures beside limits and peers, taken in one run: `cargo xtask bench [--json]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lives;
mod network;
mod plugin;

use serde::Serialize;

/// The one of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One measured figure.
#[derive(Debug, Serialize)]
struct Figure {
    /// What was measured.
    name: String,
    /// Of `ours` and `other`.
    unit: &'static str,
    /// Our figure.
    ours: f64,
    /// The limit or the peer's figure, taken in this run.
    other: f64,
    /// Whose `other` is.
    beside: String,
    /// `ours / other`.
    ratio: f64,
    /// Whether a larger ratio is the better one.
    more_is_better: bool,
    /// How it was taken.
    how: String,
}

impl Figure {
    fn holds(&self) -> bool {
        if self.more_is_better { self.ratio >= 1.0 } else { self.ratio <= 1.0 }
    }
}

fn main() {
    let json = std::env::args().any(|arg| arg == "--json");
    let mut figures = Vec::new();
    figures.extend(lives::figures());
    figures.extend(plugin::figures());
    figures.extend(network::figures());
    if json {
        match serde_json::to_string_pretty(&figures) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("error: {error}"),
        }
        return;
    }
    println!("{:<44} {:>12} {:>12} {:>7}  beside", "figure", "ours", "other", "ratio");
    for f in &figures {
        let mark = if f.holds() { "" } else { "  <-- misses" };
        println!(
            "{:<44} {:>12} {:>12} {:>7.2}  {} [{}]{mark}",
            f.name,
            short(f.ours),
            short(f.other),
            f.ratio,
            f.beside,
            f.unit
        );
    }
    println!();
    for f in &figures {
        println!("{}: {}", f.name, f.how);
    }
}

fn short(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
