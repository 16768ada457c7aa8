//! China Mobile 终端智能体服务管理平台: numbers, device, cloud. Virtual time, no sockets.
#![cfg(all(feature = "cmcc", feature = "cloud"))]
// Helpers stand outside test functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// One behaviour a file.
mod cmcc {
    mod setup;

    // Computations and settings.
    mod cmei_and_imei_follow_the_vectors;
    mod settings_are_read_or_refused_with_a_reason;

    // The device.
    mod a_clock_that_jumps_keeps_the_schedule;
    mod a_device_asks_once_and_reports_on_schedule;
    mod a_power_cut_after_any_output_converges;
    mod a_refusal_is_told_with_advice;
    mod a_restart_keeps_the_schedule;
    mod a_secret_that_cannot_be_stored_is_not_used;
    mod an_answer_that_is_lost_late_or_repeated_does_no_harm;
    mod bodies_are_the_documents;
    mod hostile_answers_do_no_harm;
    mod no_day_passes_without_a_report;
    mod no_secret_is_ever_shown;
    mod only_a_person_registers_a_device_again;
    mod strategy_1_reports_at_the_first_use_of_a_day;
    mod swapping_the_running_code_changes_nothing;

    // The cloud.
    mod hostile_requests_cost_bounded_memory;
    mod operators_see_and_change_what_they_may;
    mod the_cloud_forgets_nothing_in_a_restart;
    mod the_cloud_is_strict_and_names_the_field;
}
