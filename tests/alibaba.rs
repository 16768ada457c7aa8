//! Alibaba Cloud Living Link: computations, device, app and cloud.
#![cfg(feature = "alibaba")]
// Helpers stand outside test functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// One behaviour a file.
mod alibaba {
    mod vectors;

    // Computations.
    mod cipher_keys_equal_the_vectors;
    mod credentials_equal_the_vectors;
    mod local_signatures_equal_the_vectors;
    mod requests_are_signed_like_the_vectors;
}
