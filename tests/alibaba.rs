//! Alibaba Cloud Living Link: computations, device, app and cloud.
#![cfg(feature = "alibaba")]
// Helpers stand outside test functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// One behaviour a file.
mod alibaba {
    mod bench;
    mod vectors;

    // Computations.
    mod cipher_keys_equal_the_vectors;
    mod credentials_equal_the_vectors;
    mod hmac_equals_the_published_vectors;
    mod local_signatures_equal_the_vectors;
    mod requests_are_signed_like_the_vectors;

    // The device.
    mod a_bind_token_is_reported_after_every_login;
    #[cfg(feature = "cloud")]
    mod a_device_lives_with_the_strict_cloud;
    mod a_device_registers_over_http;
    mod a_device_registers_over_mqtt;
    mod a_download_is_verified_and_its_end_reported;
    mod a_power_cut_after_any_output_converges;
    mod a_refused_secret_stops_the_device;
    mod a_registration_that_fails_has_an_end;
    mod a_secret_is_stored_before_it_is_used;
    mod a_session_that_breaks_is_made_again;
    mod a_snapshot_at_any_moment_changes_nothing;
    mod hostile_messages_change_nothing;
    mod late_and_repeated_answers_change_nothing;
    mod no_device_secret_is_ever_shown;
    mod properties_are_set_and_posted;
    mod registering_again_is_a_persons_decision;
    mod settings_are_read_strictly;
    mod the_gateway_hears_of_permits_and_topology;

    // The cloud by itself.
    #[cfg(feature = "cloud")]
    mod an_operator_sees_homes_tokens_and_topology;
    #[cfg(feature = "cloud")]
    mod devices_are_let_in_by_the_published_rules;
    #[cfg(feature = "cloud")]
    mod each_business_code_is_given;
    #[cfg(feature = "cloud")]
    mod each_gateway_refusal_has_its_status_and_text;
    #[cfg(feature = "cloud")]
    mod platform;
    #[cfg(feature = "cloud")]
    mod the_cloud_goes_on_after_a_restart;
    #[cfg(feature = "cloud")]
    mod the_vendors_own_clients_are_admitted;

    // The app, mostly against the cloud.
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod a_gateway_opens_and_closes_joining;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod a_session_that_ran_out_is_renewed_once;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod an_owner_binds_a_device_step_by_step;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod an_owner_binds_a_real_device;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod hostile_requests_change_nothing;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod owner;
    #[cfg(all(feature = "app", feature = "cloud"))]
    mod the_documents_examples_hold;
}
