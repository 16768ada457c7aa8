//! The calculators, from outside.
#![cfg(feature = "tool")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "tool/a_wifi_password_is_encrypted_like_the_vectors.rs"]
mod a_wifi_password_is_encrypted_like_the_vectors;
#[path = "tool/credentials_are_handed_on_in_four_forms.rs"]
mod credentials_are_handed_on_in_four_forms;
#[path = "tool/nvs_refuses_what_no_device_could_read.rs"]
mod nvs_refuses_what_no_device_could_read;
