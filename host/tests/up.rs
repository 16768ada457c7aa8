//! `muster up` and `muster cloud` on real sockets, against the built binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "up/support.rs"]
mod support;

#[path = "up/a_full_disk_refuses_and_says_so.rs"]
mod a_full_disk_refuses_and_says_so;
#[path = "up/a_restart_finds_what_was_kept.rs"]
mod a_restart_finds_what_was_kept;
#[path = "up/an_update_is_ordered_at_the_address_of_today.rs"]
mod an_update_is_ordered_at_the_address_of_today;
#[path = "up/firmware_is_fetched_in_ranges.rs"]
mod firmware_is_fetched_in_ranges;
#[path = "up/it_says_where_it_is_once_everything_accepts.rs"]
mod it_says_where_it_is_once_everything_accepts;
#[path = "up/malformed_input_is_cut_off.rs"]
mod malformed_input_is_cut_off;
#[path = "up/mqtt_over_websocket_needs_its_subprotocol.rs"]
mod mqtt_over_websocket_needs_its_subprotocol;
#[path = "up/operators_act_from_the_command_line.rs"]
mod operators_act_from_the_command_line;
#[path = "up/other_web_pages_cannot_operate.rs"]
mod other_web_pages_cannot_operate;
#[path = "up/the_console_is_served_with_a_strict_policy.rs"]
mod the_console_is_served_with_a_strict_policy;
#[path = "up/the_log_can_be_followed.rs"]
mod the_log_can_be_followed;
#[path = "up/thousands_of_devices_stay_connected.rs"]
mod thousands_of_devices_stay_connected;
#[path = "up/two_ups_do_not_share_a_data_folder.rs"]
mod two_ups_do_not_share_a_data_folder;
#[path = "up/what_was_acknowledged_survives_kill_9.rs"]
mod what_was_acknowledged_survives_kill_9;
