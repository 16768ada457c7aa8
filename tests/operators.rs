//! What operators ask every cloud in the same way.
#![cfg(all(
    feature = "ucloud",
    feature = "cmcc",
    feature = "krtyun",
    feature = "alibaba",
    feature = "cloud"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// One behaviour a file.
mod operators {
    mod clouds;

    mod a_few_devices_are_shown_by_their_names;
    mod images_are_listed_with_sizes_and_digests;
}
