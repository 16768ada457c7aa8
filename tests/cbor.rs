//! The core's CBOR, with `minicbor` as the second opinion.

mod cbor {
    mod items_are_those_of_rfc_8949;
    mod malformed_bytes_are_refused;
    mod types_grow_without_breaking_their_readers;
}
