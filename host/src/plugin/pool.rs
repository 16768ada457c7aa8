//! Room for many instances: a pool of memories that is reserved at once, tried out when it is made, and given up for
//! memory on demand where this machine does not have it.
//!
//! A pool takes addresses, not memory: as many bytes for each device as its limit allows, and a guard. Small machines
//! refuse that (39-bit kernels, `ulimit -v`), and none has more mappings than `vm.max_map_count`, pool or not. Running
//! out of mappings later would hit whoever asks next, the allocator included; so the room is worked out from it before,
//! and a device too many is refused with [`PluginError::Full`].

use std::fmt;
#[cfg(feature = "full")]
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "full")]
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

#[cfg(feature = "full")]
use super::Limits;
use super::PluginError;

#[cfg(feature = "full")]
/// Mappings that one memory takes: the stack before the image, the image of the data, the heap behind it, and what must
/// not be touched. `many_devices_share_an_engine` counts them.
const MAPPINGS: u64 = 4;

/// Elements of a plugin's only table, in both kinds of memory.
pub(super) const TABLE: usize = 1_024;

/// How instances get their memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Allocation {
    /// Whether all of it was reserved when the engine was made.
    pub pooled: bool,
    /// How many instances there can be at once; absent where nobody asked for a number.
    pub room: Option<u32>,
    /// Why it is not what was asked for.
    pub shortfalls: Vec<String>,
}

impl Allocation {
    /// What an engine does that was not asked for a number.
    pub(super) fn on_demand() -> Self {
        Self { pooled: false, room: None, shortfalls: Vec::new() }
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.pooled { "pooled" } else { "on demand" })?;
        if let Some(room) = self.room {
            write!(f, ", room for {room}")?;
        }
        for shortfall in &self.shortfalls {
            write!(f, "; {shortfall}")?;
        }
        Ok(())
    }
}

#[cfg(feature = "full")]
/// An engine for `devices` instances, made from `config`, which makes one for memory on demand.
pub(super) fn engine(
    config: &Config,
    limits: &Limits,
    devices: u32,
) -> Result<(wasmtime::Engine, Allocation), PluginError> {
    let (room, why) = room(devices, mappings());
    let mut shortfalls = Vec::from_iter(why);
    let mut pooled = config.clone();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, room)));
    let (engine, pooled) = match wasmtime::Engine::new(&pooled) {
        Ok(engine) => (engine, true),
        Err(error) => {
            shortfalls.push(format!("no pool, this machine refused it: {error:#}"));
            (wasmtime::Engine::new(config).map_err(super::engine::host)?, false)
        }
    };
    Ok((engine, Allocation { pooled, room: Some(room), shortfalls }))
}

#[cfg(feature = "full")]
fn pool(limits: &Limits, room: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(room)
        .total_memories(room)
        .total_tables(room)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .table_elements(TABLE)
        .max_memory_size((limits.memory_pages as usize) << 16);
    pool
}

#[cfg(feature = "full")]
/// Mappings of this process: those that it has, and how many it may have.
struct Mappings {
    used: u64,
    most: u64,
}

#[cfg(feature = "full")]
/// Nothing where the system does not say; only Linux has such a limit.
fn mappings() -> Option<Mappings> {
    let most = fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()?;
    let used = fs::read_to_string("/proc/self/maps").ok()?.lines().count() as u64;
    Some(Mappings { used, most })
}

#[cfg(feature = "full")]
/// How many of the `devices` fit, and why not all of them. An eighth of the mappings is left to everyone else.
fn room(devices: u32, mappings: Option<Mappings>) -> (u32, Option<String>) {
    let Some(Mappings { used, most }) = mappings else { return (devices, None) };
    let free = (most - most / 8).saturating_sub(used) / MAPPINGS;
    let free = u32::try_from(free).unwrap_or(u32::MAX);
    if devices <= free {
        return (devices, None);
    }
    let enough = (u64::from(devices) * MAPPINGS + used) * 8 / 7 + 8;
    let why = format!(
        "room for {free} of {devices}: vm.max_map_count is {most}, and each takes {MAPPINGS} mappings \
         (`sysctl vm.max_map_count={enough}` is enough)"
    );
    (free, Some(why))
}

/// Counts the instances of an engine.
#[derive(Debug)]
pub(super) struct Places {
    most: u32,
    taken: AtomicU32,
}

/// One of them. Comes back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Places {
    pub(super) fn new(allocation: &Allocation) -> Arc<Self> {
        let most = allocation.room.unwrap_or(u32::MAX);
        Arc::new(Self { most, taken: AtomicU32::new(0) })
    }

    pub(super) fn take(self: &Arc<Self>) -> Result<Place, PluginError> {
        let more = |taken| (taken < self.most).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => Ok(Place(self.clone())),
            Err(_) => Err(PluginError::Full { room: self.most }),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    #[test]
    fn the_room_follows_from_the_mappings_that_are_left() {
        let mappings = |most| Some(Mappings { used: 100, most });
        assert_eq!(room(1_000, None), (1_000, None));
        assert_eq!(room(1_000, mappings(65_530)), (1_000, None));
        let (fewer, why) = room(20_000, mappings(65_530));
        assert_eq!(fewer, 14_309);
        // What is advised is enough, and not much more than that.
        let why = why.unwrap();
        let advised = why.rsplit_once("max_map_count=").unwrap().1;
        let advised: u64 = advised.split('`').next().unwrap().parse().unwrap();
        assert_eq!(room(20_000, mappings(advised)), (20_000, None));
        assert!(room(20_000, mappings(advised - 32)).1.is_some(), "{advised}");
        assert_eq!(room(1_000, mappings(50)).0, 0);
    }
}
