//! One device in a sandbox.

use std::sync::Arc;

use muster::wire::{self, Describe, Drain, Handle, Open, Restore, names};
use muster::{Input, Now, Output, SecretBytes};
use wasmtime::{
    Extern, InstancePre, Memory, Module, ModuleExport, Store, StoreLimits, StoreLimitsBuilder,
    TypedFunc, WasmParams, WasmResults,
};

use super::engine::{host, ticks};
use super::pool::{Place, TABLE};
use super::{Limits, PluginError, Trap};

/// An instance of a plugin: at most one device.
///
/// After an error other than [`PluginError::Refused`] the instance is poisoned: drop it.
pub struct Instance {
    store: Store<State>,
    instance: wasmtime::Instance,
    memory: Memory,
    realloc: TypedFunc<(u32, u32, u32, u32), u32>,
    /// The one that is called again and again. The others are looked up when they are called.
    handle: Export<(u32, u32)>,
    exports: Arc<Exports>,
    limits: Arc<Limits>,
    poisoned: bool,
    fuel_used: u64,
    stray: u64,
    skipped: u64,
    /// The last field: what it counts is gone when it goes.
    _place: Place,
}

pub(super) struct State {
    limits: StoreLimits,
}

/// Where a module has what it exports, so that an instance need not look for names.
pub(super) struct Exports {
    memory: ModuleExport,
    realloc: ModuleExport,
    describe: Pair,
    open: Pair,
    handle: Pair,
    save: Pair,
    restore: Pair,
}

/// A function, and what frees its result.
struct Pair {
    name: &'static str,
    call: ModuleExport,
    post: ModuleExport,
}

struct Export<P> {
    name: &'static str,
    call: TypedFunc<P, u32>,
    post: TypedFunc<u32, ()>,
}

impl Instance {
    pub(super) fn new(
        pre: &InstancePre<State>,
        exports: &Arc<Exports>,
        limits: &Arc<Limits>,
        place: Place,
    ) -> Result<Self, PluginError> {
        let state = State {
            limits: StoreLimitsBuilder::new()
                .memory_size((limits.memory_pages as usize) << 16)
                .instances(1)
                .memories(1)
                .tables(1)
                .table_elements(TABLE)
                .build(),
        };
        let mut store = Store::new(pre.module().engine(), state);
        store.limiter(|state| &mut state.limits);
        refill(&mut store, limits)?;
        let instance = pre
            .instantiate(&mut store)
            .map_err(|error| PluginError::Trapped { export: "its start", trap: trap(&error) })?;
        // All of these exist and have these types: `verify` has looked.
        let memory = instance
            .get_module_export(&mut store, &exports.memory)
            .and_then(Extern::into_memory)
            .ok_or_else(|| missing(names::MEMORY))?;
        Ok(Self {
            realloc: function(&instance, &mut store, &exports.realloc, names::REALLOC)?,
            handle: Export::find(&instance, &mut store, &exports.handle)?,
            store,
            instance,
            memory,
            exports: exports.clone(),
            limits: limits.clone(),
            poisoned: false,
            fuel_used: 0,
            stray: 0,
            skipped: 0,
            _place: place,
        })
    }

    /// What this plugin is.
    pub fn describe(&mut self) -> Result<Describe, PluginError> {
        let reply = self.describe_bytes()?;
        let describe = Describe::from_bytes(reply.expose());
        describe.map_err(|error| self.poison(PluginError::Reply { export: "describe", error }))
    }

    /// Brings the device to life; its first outputs, the time-out last.
    pub fn open(&mut self, open: &Open) -> Result<Vec<Output>, PluginError> {
        let reply = self.open_bytes(open.to_bytes().expose())?;
        self.drained("open", &reply)
    }

    /// One input; its outputs, the time-out last.
    pub fn handle(&mut self, input: &Input, now: Now) -> Result<Vec<Output>, PluginError> {
        let request = Handle { now, input: input.clone() }.to_bytes();
        let reply = self.handle_bytes(request.expose())?;
        self.drained("handle", &reply)
    }

    /// The device as it is between two inputs, for [`Instance::restore`] in another instance.
    pub fn save(&mut self) -> Result<SecretBytes, PluginError> {
        let reply = self.save_bytes()?;
        match wire::saved(reply.expose()) {
            Ok(Ok(snapshot)) => Ok(snapshot),
            Ok(Err(refusal)) => Err(PluginError::Refused(refusal)),
            Err(error) => Err(self.poison(PluginError::Reply { export: "save", error })),
        }
    }

    /// Goes on where a saved instance was. The time-out is all that comes out.
    pub fn restore(&mut self, restore: &Restore) -> Result<Vec<Output>, PluginError> {
        let reply = self.restore_bytes(restore.to_bytes().expose())?;
        self.drained("restore", &reply)
    }

    /// Fuel that the last call took, its arguments' and its result's way included.
    pub fn fuel_used(&self) -> u64 {
        self.fuel_used
    }

    /// Pages of 64 KiB that the plugin has by now; memory never shrinks.
    pub fn memory_pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    /// Inputs that the device has ignored so far.
    pub fn stray_inputs(&self) -> u64 {
        self.stray
    }

    /// Events that this host has skipped so far because it does not know them.
    pub fn skipped_events(&self) -> u64 {
        self.skipped
    }

    /// Whether an earlier call broke it.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// `describe` in bytes, for those that compare executors.
    pub fn describe_bytes(&mut self) -> Result<SecretBytes, PluginError> {
        self.guarded(|this| {
            let export = this.find(|exports| &exports.describe)?;
            this.result(&export, ())
        })
    }

    /// `open` in bytes.
    pub fn open_bytes(&mut self, request: &[u8]) -> Result<SecretBytes, PluginError> {
        self.guarded(|this| {
            let export = this.find(|exports| &exports.open)?;
            this.call(&export, request)
        })
    }

    /// `handle` in bytes.
    pub fn handle_bytes(&mut self, request: &[u8]) -> Result<SecretBytes, PluginError> {
        self.guarded(|this| {
            let export = this.handle.clone();
            this.call(&export, request)
        })
    }

    /// `save` in bytes.
    pub fn save_bytes(&mut self) -> Result<SecretBytes, PluginError> {
        self.guarded(|this| {
            let export = this.find(|exports| &exports.save)?;
            this.result(&export, ())
        })
    }

    /// `restore` in bytes.
    pub fn restore_bytes(&mut self, request: &[u8]) -> Result<SecretBytes, PluginError> {
        self.guarded(|this| {
            let export = this.find(|exports| &exports.restore)?;
            this.call(&export, request)
        })
    }

    fn drained(
        &mut self,
        export: &'static str,
        reply: &SecretBytes,
    ) -> Result<Vec<Output>, PluginError> {
        match wire::drained_up_to(reply.expose(), self.limits.outputs) {
            Ok(Ok(Drain { outputs, stray, skipped, .. })) => {
                self.stray = stray;
                self.skipped += u64::from(skipped);
                Ok(outputs)
            }
            Ok(Err(refusal)) => Err(PluginError::Refused(refusal)),
            Err(error) => Err(self.poison(PluginError::Reply { export, error })),
        }
    }

    /// Runs one call with full tanks. Whatever goes wrong in it leaves an instance that nobody may use again.
    fn guarded<T>(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<T, PluginError>,
    ) -> Result<T, PluginError> {
        if self.poisoned {
            return Err(PluginError::Poisoned);
        }
        refill(&mut self.store, &self.limits)?;
        let result = call(self);
        let left = self.store.get_fuel().unwrap_or(0);
        self.fuel_used = self.limits.fuel.saturating_sub(left);
        result.map_err(|error| self.poison(error))
    }

    fn poison(&mut self, error: PluginError) -> PluginError {
        self.poisoned = true;
        error
    }

    fn find<P: WasmParams>(
        &mut self,
        pair: impl FnOnce(&Exports) -> &Pair,
    ) -> Result<Export<P>, PluginError> {
        Export::find(&self.instance, &mut self.store, pair(&self.exports))
    }

    /// Copies the argument in, calls, copies the result out.
    fn call(
        &mut self,
        export: &Export<(u32, u32)>,
        request: &[u8],
    ) -> Result<SecretBytes, PluginError> {
        let name = export.name;
        let length = u32::try_from(request.len())
            .map_err(|_| PluginError::Refused(wire::Refusal::TooLong))?;
        let address = self
            .realloc
            .call(&mut self.store, (0, 0, 1, length))
            .map_err(|error| PluginError::Trapped { export: name, trap: trap(&error) })?;
        self.bytes(name, address, length)?.copy_from_slice(request);
        self.result(export, (address, length))
    }

    /// Calls, and takes the result: the address of a pair of address and length.
    fn result<P: WasmParams>(
        &mut self,
        export: &Export<P>,
        params: P,
    ) -> Result<SecretBytes, PluginError> {
        let name = export.name;
        let trapped = |error| PluginError::Trapped { export: name, trap: trap(&error) };
        let pair = export.call.call(&mut self.store, params).map_err(trapped)?;
        let (head, _) = self.bytes(name, pair, 8)?.as_chunks::<4>();
        let [address, length] = [0, 1].map(|i| head.get(i).map_or(0, |b| u32::from_le_bytes(*b)));
        if length as usize > self.limits.reply {
            let limit = self.limits.reply;
            return Err(PluginError::ReplyTooLong { export: name, length, limit });
        }
        let reply = self.bytes(name, address, length)?;
        let bytes = SecretBytes::new(reply.to_vec());
        // The plugin frees these bytes next: a secret must not lie about in what it freed.
        reply.fill(0);
        export.post.call(&mut self.store, pair).map_err(trapped)?;
        Ok(bytes)
    }

    /// Guest memory that the guest speaks of, if it exists.
    fn bytes(
        &mut self,
        export: &'static str,
        address: u32,
        length: u32,
    ) -> Result<&mut [u8], PluginError> {
        let (start, length_) = (address as usize, length as usize);
        start
            .checked_add(length_)
            .and_then(|end| self.memory.data_mut(&mut self.store).get_mut(start..end))
            .ok_or(PluginError::Pointer { export, address, length })
    }
}

impl Exports {
    /// Of a module that was verified.
    pub(super) fn of(module: &Module) -> Result<Self, PluginError> {
        let find = |name: &str| module.get_export_index(name).ok_or_else(|| missing(name));
        let pair = |name| {
            let export = format!("{}{name}", names::PREFIX);
            let post = format!("{}{export}", names::POST);
            Ok(Pair { name, call: find(&export)?, post: find(&post)? })
        };
        Ok(Self {
            memory: find(names::MEMORY)?,
            realloc: find(names::REALLOC)?,
            describe: pair("describe")?,
            open: pair("open")?,
            handle: pair("handle")?,
            save: pair("save")?,
            restore: pair("restore")?,
        })
    }
}

impl<P: WasmParams> Export<P> {
    fn find(
        instance: &wasmtime::Instance,
        store: &mut Store<State>,
        pair: &Pair,
    ) -> Result<Self, PluginError> {
        let Pair { name, call, post } = pair;
        let call = function(instance, store, call, name)?;
        Ok(Self { name, call, post: function(instance, store, post, name)? })
    }
}

fn function<P: WasmParams, R: WasmResults>(
    instance: &wasmtime::Instance,
    store: &mut Store<State>,
    export: &ModuleExport,
    name: &str,
) -> Result<TypedFunc<P, R>, PluginError> {
    let function = instance.get_module_export(&mut *store, export).and_then(Extern::into_func);
    function.ok_or_else(|| missing(name))?.typed(store).map_err(host)
}

/// Cannot be: every module is verified before.
fn missing(name: &str) -> PluginError {
    PluginError::Host(format!("no export {name}"))
}

impl<P> Clone for Export<P> {
    fn clone(&self) -> Self {
        Self { name: self.name, call: self.call.clone(), post: self.post.clone() }
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("poisoned", &self.poisoned)
            .field("fuel_used", &self.fuel_used)
            .finish_non_exhaustive()
    }
}

fn refill(store: &mut Store<State>, limits: &Limits) -> Result<(), PluginError> {
    store.set_fuel(limits.fuel).map_err(host)?;
    if let Some(deadline) = limits.deadline {
        store.set_epoch_deadline(ticks(deadline));
    }
    Ok(())
}

fn trap(error: &wasmtime::Error) -> Trap {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::OutOfFuel) => Trap::OutOfFuel,
        Some(wasmtime::Trap::Interrupt) => Trap::OutOfTime,
        Some(wasmtime::Trap::StackOverflow) => Trap::OutOfStack,
        Some(wasmtime::Trap::UnreachableCodeReached) => Trap::Unreachable,
        Some(other) => Trap::Other(other.to_string()),
        None => Trap::Other(format!("{error:#}")),
    }
}
