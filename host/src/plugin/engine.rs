//! The engine and the plugins that it has compiled.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

#[cfg(feature = "full")]
use wasmtime::OptLevel;
use wasmtime::{Config, InstancePre, Linker, Module};

use super::instance::{Exports, Instance, State};
#[cfg(feature = "full")]
use super::pool;
use super::pool::{Allocation, Places};
use super::verify::{Shape, verify};
use super::{Limits, PluginError};

/// The largest file that is compiled: compiling takes time and memory that no limit of an instance bounds.
pub(super) const MAX_MODULE: usize = 4 << 20;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Compiles plugins and runs them within its [`Limits`]. One is enough for a process; clones share it.
#[derive(Clone, Debug)]
pub struct Engine {
    engine: wasmtime::Engine,
    limits: Arc<Limits>,
    allocation: Arc<Allocation>,
    places: Arc<Places>,
}

/// A verified plugin, compiled for this machine.
#[derive(Clone)]
pub struct Plugin {
    pre: InstancePre<State>,
    exports: Arc<Exports>,
    shape: Arc<Shape>,
    limits: Arc<Limits>,
    places: Arc<Places>,
}

impl Engine {
    /// An engine whose instances all keep to `limits`, with memory on demand.
    pub fn new(limits: Limits) -> Result<Self, PluginError> {
        let engine = wasmtime::Engine::new(&config(&limits)).map_err(host)?;
        Self::with(engine, limits, Allocation::on_demand())
    }

    /// An engine with room for `devices` instances at once, reserved in one piece where this machine allows it; what
    /// became of that is in [`Engine::allocation`]. To go over to another plugin takes a second instance for a moment.
    ///
    /// Code that [`Engine::precompile`] made is the same for both kinds of engine.
    #[cfg(feature = "full")]
    pub fn for_many(limits: Limits, devices: u32) -> Result<Self, PluginError> {
        let (engine, allocation) = pool::engine(&config(&limits), &limits, devices)?;
        Self::with(engine, limits, allocation)
    }

    fn with(
        engine: wasmtime::Engine,
        limits: Limits,
        allocation: Allocation,
    ) -> Result<Self, PluginError> {
        if limits.deadline.is_some() {
            tick(&engine)?;
        }
        let places = Places::new(&allocation);
        Ok(Self { engine, limits: Arc::new(limits), allocation: Arc::new(allocation), places })
    }

    /// The small build cannot compile.
    #[cfg(not(feature = "full"))]
    pub fn load(&self, _: &[u8]) -> Result<Plugin, PluginError> {
        Err(PluginError::NoCompiler)
    }

    /// Compiles a core module and verifies that it is a plugin.
    #[cfg(feature = "full")]
    pub fn load(&self, wasm: &[u8]) -> Result<Plugin, PluginError> {
        let module = self.module(wasm)?;
        let shape = verify(&module)?;
        self.plugin(&module, shape)
    }

    /// Looks at a core module, plugin or not.
    #[cfg(feature = "full")]
    pub fn inspect(&self, wasm: &[u8]) -> Result<Shape, PluginError> {
        Ok(Shape::of(&self.module(wasm)?))
    }

    /// Machine code for this machine and these limits, as a cache: the module stays the truth.
    #[cfg(feature = "full")]
    pub fn precompile(&self, wasm: &[u8]) -> Result<Vec<u8>, PluginError> {
        verify(&self.module(wasm)?)?;
        let compiler = wasmtime::Engine::new(&frugal(&self.limits)).map_err(host)?;
        compiler.precompile_module(wasm).map_err(host)
    }

    /// The same for any machine of a kind, such as `x86_64-unknown-linux-gnu`, not for all that this one's processor can
    /// do.
    #[cfg(feature = "full")]
    pub fn precompile_for(&self, target: &str, wasm: &[u8]) -> Result<Vec<u8>, PluginError> {
        verify(&self.module(wasm)?)?;
        let mut config = frugal(&self.limits);
        let compiler = config
            .target(target)
            .and_then(|config| wasmtime::Engine::new(config))
            .map_err(|e| PluginError::NoSuchTarget(format!("{target}: {e:#}")))?;
        compiler.precompile_module(wasm).map_err(host)
    }

    /// Loads what [`Engine::precompile`] made, without compiling.
    ///
    /// # Safety
    ///
    /// The bytes are machine code and run outside of any sandbox: they must be what [`Engine::precompile`] made on
    /// this device, from a place that nobody else can write to.
    #[allow(unsafe_code)]
    pub unsafe fn load_precompiled(&self, cwasm: &[u8]) -> Result<Plugin, PluginError> {
        // SAFETY: the caller vouches for the bytes.
        let module = unsafe { Module::deserialize(&self.engine, cwasm) }
            .map_err(|error| PluginError::Foreign(format!("{error:#}")))?;
        let shape = verify(&module)?;
        self.plugin(&module, shape)
    }

    /// The limits of every instance.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How its instances get their memory.
    pub fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    fn plugin(&self, module: &Module, shape: Shape) -> Result<Plugin, PluginError> {
        Ok(Plugin {
            pre: Linker::new(&self.engine).instantiate_pre(module).map_err(host)?,
            exports: Arc::new(Exports::of(module)?),
            shape: Arc::new(shape),
            limits: self.limits.clone(),
            places: self.places.clone(),
        })
    }

    #[cfg(feature = "full")]
    fn module(&self, wasm: &[u8]) -> Result<Module, PluginError> {
        if wasm.len() > MAX_MODULE {
            let why = format!("{} bytes are more than the {MAX_MODULE} of any plugin", wasm.len());
            return Err(PluginError::NotAModule(why));
        }
        // The eight bytes that every module begins with; a component has another version.
        match wasm.get(..8) {
            Some(b"\0asm\x01\0\0\0") => {}
            Some(b"\0asm\x0d\0\x01\0") => return Err(PluginError::IsAComponent),
            _ => {
                let why = "it does not begin as a core module of WebAssembly does";
                return Err(PluginError::NotAModule(why.into()));
            }
        }
        Module::from_binary(&self.engine, wasm)
            .map_err(|error| PluginError::NotAModule(format!("{error:#}")))
    }
}

impl Plugin {
    /// A fresh instance: no device yet.
    pub fn instantiate(&self) -> Result<Instance, PluginError> {
        Instance::new(&self.pre, &self.exports, &self.limits, self.places.take()?)
    }

    /// Its imports and exports.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// What code is compiled for, and with it what it is refused by.
fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(limits.deadline.is_some())
        .max_wasm_stack(limits.stack)
        // Small spaces instead of gigabytes of addresses: the same on small machines.
        .memory_reservation(u64::from(limits.memory_pages) << 16)
        .memory_reservation_for_growth(0)
        .memory_guard_size(64 * 1024)
        // What a plugin's memory begins with is one copy for all of them, until they write to it.
        .memory_init_cow(true);
    // A host without the component model refuses code that was compiled with it.
    #[cfg(feature = "full")]
    config.cranelift_opt_level(OptLevel::Speed).wasm_component_model(false);
    config
}

/// The same, but what is compiled has no tables for backtraces through it, which nobody asks for: a seventh less.
#[cfg(feature = "full")]
fn frugal(limits: &Limits) -> Config {
    let mut config = config(limits);
    config.generate_address_map(false).native_unwind_info(false).wasm_backtrace_max_frames(None);
    config
}

/// Ticks for as long as the engine lives.
fn tick(engine: &wasmtime::Engine) -> Result<(), PluginError> {
    let weak = engine.weak();
    let ticker = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let spawned = thread::Builder::new().name("plugin-clock".into()).spawn(ticker);
    spawned.map(drop).map_err(|error| PluginError::Host(error.to_string()))
}

/// Ticks in `deadline`, rounded up, and one more because the clock is between two ticks.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_millis().div_ceil(TICK.as_millis());
    u64::try_from(ticks).unwrap_or(u64::MAX - 1).saturating_add(1)
}

pub(super) fn host(error: wasmtime::Error) -> PluginError {
    PluginError::Host(format!("{error:#}"))
}
