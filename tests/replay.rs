//! Lives that are recorded, and lived again.
#![cfg(all(
    feature = "ucloud",
    feature = "cmcc",
    feature = "krtyun",
    feature = "alibaba",
    feature = "cloud",
    feature = "mqtt",
    feature = "tool"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conformance/lives.rs"]
mod lives;

mod replay {
    mod support;

    mod a_build_that_answers_differently_is_told_at_the_first_step;
    mod a_life_is_lived_again_to_the_byte;
    mod a_long_life_is_kept_from_a_snapshot_on;
    mod an_exported_recording_holds_no_secret_and_takes_the_same_course;
    mod back_and_forth_gives_the_same_states;
    mod broken_recordings_are_refused_and_never_panic;
}
