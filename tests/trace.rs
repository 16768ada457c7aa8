//! Timelines: what a person sees of a device's life, and what nobody sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "trace/a_flood_of_small_packets_is_cut_in_one_go.rs"]
mod a_flood_of_small_packets_is_cut_in_one_go;
#[path = "trace/no_line_shows_a_secret_and_a_person_may_ask_for_one.rs"]
mod no_line_shows_a_secret_and_a_person_may_ask_for_one;
#[path = "trace/world.rs"]
mod world;
