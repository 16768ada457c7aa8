//! Our figures beside limits and peers, taken in one run: `cargo xtask bench [--json] [GROUP…]`.
//!
//! Groups: `lives`, `plugin`, `gateway`, `network`; all of them unless some are named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gateway;
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

/// What takes the figures of a group.
type Figures = fn() -> Vec<Figure>;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some((_, [first, rest @ ..])) = args.split_first()
        && first == gateway::MEASURE
    {
        return gateway::measure(rest);
    }
    let json = args.iter().any(|arg| arg == "--json");
    let groups: [(&str, Figures); 4] = [
        ("lives", lives::figures),
        ("plugin", plugin::figures),
        ("gateway", gateway::figures),
        ("network", network::figures),
    ];
    let chosen = |name: &str| args.iter().any(|arg| arg == name);
    let all = !groups.iter().any(|(name, _)| chosen(name));
    let chosen = groups.iter().filter(|(name, _)| all || chosen(name));
    let figures: Vec<Figure> = chosen.flat_map(|(_, figures)| figures()).collect();
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
