//! MQTT sessions over bytes.
