//! The calculators. See [`crate::tool`].
