//! UCloud UIoT Core: the device against the cloud, and each against peers of a test's own making.
#![cfg(all(feature = "ucloud", feature = "cloud"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

mod ucloud {
    mod support;

    mod a_connection_that_breaks_anywhere_is_made_again;
    mod a_device_registers_stores_and_only_then_logs_in;
    mod a_firmware_update_is_fetched_verified_installed_and_reported;
    mod a_missing_answer_is_asked_for_three_times_more;
    mod a_password_stays_the_same_until_a_reset;
    mod a_power_cut_after_any_output_converges;
    mod a_pre_authenticated_session_may_only_ask_for_its_secret;
    mod a_restart_of_the_cloud_keeps_everything;
    mod a_secret_that_cannot_be_stored_is_neither_used_nor_lost;
    mod a_stored_or_configured_secret_is_used_and_nothing_registers;
    mod an_agent_swapped_between_any_two_inputs_goes_on_the_same;
    mod every_example_of_the_seed_document;
    mod hostile_input_costs_bounded_memory_and_never_panics;
    mod network_trouble_is_waited_out_without_an_end;
    mod no_secret_is_ever_shown;
    mod only_our_own_reply_counts;
    mod operators_can_do_what_the_console_can;
    mod properties_are_posted_and_set;
    mod refused_registrations_say_what_a_person_can_do;
    mod registering_again_is_a_persons_decision;
    mod the_cloud_refuses_logins_with_its_codes;
    mod the_platforms_limits_hold;
    mod the_same_credential_twice_closes_the_older_session;
    mod the_vendors_sdks_work_unchanged;
    mod upgrades_go_through_the_documented_states;
}
