//! 科睿特 krtyun: one behaviour a file.
#![cfg(all(feature = "krtyun", feature = "cloud"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "krtyun/support.rs"]
mod support;

#[path = "krtyun/a_device_registers_stores_confirms_and_logs_in.rs"]
mod a_device_registers_stores_confirms_and_logs_in;
#[path = "krtyun/a_forbidden_or_broken_order_is_refused.rs"]
mod a_forbidden_or_broken_order_is_refused;
#[path = "krtyun/a_power_cut_after_any_output_converges.rs"]
mod a_power_cut_after_any_output_converges;
#[path = "krtyun/a_refused_login_ends_as_documented.rs"]
mod a_refused_login_ends_as_documented;
#[path = "krtyun/a_refused_secret_that_was_never_proven_is_confirmed_again.rs"]
mod a_refused_secret_that_was_never_proven_is_confirmed_again;
#[path = "krtyun/a_snapshot_after_any_step_changes_nothing.rs"]
mod a_snapshot_after_any_step_changes_nothing;
#[path = "krtyun/an_order_is_kept_answered_fetched_and_reported.rs"]
mod an_order_is_kept_answered_fetched_and_reported;
#[path = "krtyun/any_crossing_may_be_lost_repeated_or_late.rs"]
mod any_crossing_may_be_lost_repeated_or_late;
#[path = "krtyun/hostile_input_is_ignored_and_named.rs"]
mod hostile_input_is_ignored_and_named;
#[path = "krtyun/no_secret_is_ever_shown.rs"]
mod no_secret_is_ever_shown;
#[path = "krtyun/only_a_person_registers_again.rs"]
mod only_a_person_registers_again;
#[path = "krtyun/reports_come_by_period.rs"]
mod reports_come_by_period;
#[path = "krtyun/settings_are_checked.rs"]
mod settings_are_checked;
#[path = "krtyun/silence_means_already_registered.rs"]
mod silence_means_already_registered;
#[path = "krtyun/the_assumed_table_can_be_replaced.rs"]
mod the_assumed_table_can_be_replaced;
#[path = "krtyun/the_cloud_issues_once_and_activates_on_ok_alone.rs"]
mod the_cloud_issues_once_and_activates_on_ok_alone;
#[path = "krtyun/the_cloud_keeps_devices_to_their_topics.rs"]
mod the_cloud_keeps_devices_to_their_topics;
#[path = "krtyun/the_cloud_restarts_from_what_it_kept.rs"]
mod the_cloud_restarts_from_what_it_kept;
#[path = "krtyun/the_cloud_survives_hostile_clients.rs"]
mod the_cloud_survives_hostile_clients;
#[path = "krtyun/the_documents_examples_work_word_for_word.rs"]
mod the_documents_examples_work_word_for_word;
#[path = "krtyun/the_door_opens_for_the_right_pair_only.rs"]
mod the_door_opens_for_the_right_pair_only;
#[path = "krtyun/the_operator_runs_products_and_devices.rs"]
mod the_operator_runs_products_and_devices;
#[path = "krtyun/upgrades_are_followed_to_their_end.rs"]
mod upgrades_are_followed_to_their_end;
