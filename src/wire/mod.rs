//! The bytes that cross between a plugin and its host.
