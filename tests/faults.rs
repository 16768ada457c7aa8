//! Faults: which message is met, and what becomes of it.
#![cfg(all(
    feature = "lab",
    feature = "ucloud",
    feature = "cmcc",
    feature = "krtyun",
    feature = "alibaba"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "faults/a_changed_message_stays_a_message.rs"]
mod a_changed_message_stays_a_message;
#[path = "faults/a_rule_strikes_the_messages_that_it_names.rs"]
mod a_rule_strikes_the_messages_that_it_names;
#[path = "faults/a_rule_that_could_never_strike_is_refused.rs"]
mod a_rule_that_could_never_strike_is_refused;
#[path = "faults/a_timeline_shows_what_was_struck_and_no_secret.rs"]
mod a_timeline_shows_what_was_struck_and_no_secret;
#[path = "faults/rules.rs"]
mod rules;
#[path = "faults/the_same_seed_strikes_the_same_messages.rs"]
mod the_same_seed_strikes_the_same_messages;
