//! The five functions of bytes, run in four ways.

use std::sync::OnceLock;

use muster::wire::{Guest, names};
use muster_host::plugin::{Engine, Instance, Limits, Plugin, embedded, embedded_bytes};
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Config, Store};

/// A way to run a plugin.
pub(crate) trait Executor {
    fn describe(&mut self) -> Vec<u8>;
    fn open(&mut self, request: &[u8]) -> Vec<u8>;
    fn handle(&mut self, request: &[u8]) -> Vec<u8>;
    fn save(&mut self) -> Vec<u8>;
    fn restore(&mut self, request: &[u8]) -> Vec<u8>;
}

/// All of them, each with a name for messages.
pub(crate) fn all() -> Vec<(&'static str, Box<dyn Executor>)> {
    vec![
        ("native", Box::new(Guest::new())),
        ("wasmtime, core module", Box::new(core())),
        ("wasmtime, component", Box::new(InComponent::new())),
        ("wasmi", Box::new(InWasmi::new())),
    ]
}

/// A fresh instance of the embedded plugin, which is compiled once.
pub(crate) fn core() -> Instance {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let plugin = PLUGIN.get_or_init(|| embedded(&Engine::new(Limits::default()).unwrap()).unwrap());
    plugin.instantiate().unwrap()
}

impl Executor for Guest {
    fn describe(&mut self) -> Vec<u8> {
        Guest::describe(self)
    }
    fn open(&mut self, request: &[u8]) -> Vec<u8> {
        Guest::open(self, request.to_vec())
    }
    fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        Guest::handle(self, request.to_vec())
    }
    fn save(&mut self) -> Vec<u8> {
        Guest::save(self)
    }
    fn restore(&mut self, request: &[u8]) -> Vec<u8> {
        Guest::restore(self, request.to_vec())
    }
}

impl Executor for Instance {
    fn describe(&mut self) -> Vec<u8> {
        self.describe_bytes().unwrap().into_inner()
    }
    fn open(&mut self, request: &[u8]) -> Vec<u8> {
        self.open_bytes(request).unwrap().into_inner()
    }
    fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        self.handle_bytes(request).unwrap().into_inner()
    }
    fn save(&mut self) -> Vec<u8> {
        self.save_bytes().unwrap().into_inner()
    }
    fn restore(&mut self, request: &[u8]) -> Vec<u8> {
        self.restore_bytes(request).unwrap().into_inner()
    }
}

/// The component that `cargo xtask component` makes from the same bytes.
struct InComponent {
    store: Store<()>,
    instance: wasmtime::component::Instance,
}

type Taking = TypedFunc<(Vec<u8>,), (Vec<u8>,)>;
type TakingNothing = TypedFunc<(), (Vec<u8>,)>;

impl InComponent {
    fn new() -> Self {
        let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let bytes = crate::component::encode(embedded_bytes(), &wit).unwrap();
        let mut config = Config::new();
        config.wasm_component_model(true);
        let engine = wasmtime::Engine::new(&config).unwrap();
        let component = Component::new(&engine, bytes).unwrap();
        assert_eq!(component.component_type().imports(&engine).count(), 0);
        let mut store = Store::new(&engine, ());
        // An empty linker: the component imports nothing either.
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        Self { store, instance }
    }

    fn export(&mut self, name: &str) -> wasmtime::component::ComponentExportIndex {
        let interface =
            self.instance.get_export_index(&mut self.store, None, names::INTERFACE).unwrap();
        self.instance.get_export_index(&mut self.store, Some(&interface), name).unwrap()
    }

    fn give(&mut self, name: &str) -> Vec<u8> {
        let export = self.export(name);
        let call: TakingNothing = self.instance.get_typed_func(&mut self.store, export).unwrap();
        call.call(&mut self.store, ()).unwrap().0
    }

    fn take(&mut self, name: &str, request: &[u8]) -> Vec<u8> {
        let export = self.export(name);
        let call: Taking = self.instance.get_typed_func(&mut self.store, export).unwrap();
        call.call(&mut self.store, (request.to_vec(),)).unwrap().0
    }
}

impl Executor for InComponent {
    fn describe(&mut self) -> Vec<u8> {
        self.give("describe")
    }
    fn open(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("open", request)
    }
    fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("handle", request)
    }
    fn save(&mut self) -> Vec<u8> {
        self.give("save")
    }
    fn restore(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("restore", request)
    }
}

/// An interpreter for small devices, with everything beyond WebAssembly 1.0 switched off.
struct InWasmi {
    store: wasmi::Store<()>,
    instance: wasmi::Instance,
    memory: wasmi::Memory,
}

impl InWasmi {
    fn new() -> Self {
        let mut config = wasmi::Config::default();
        config
            .wasm_bulk_memory(false)
            .wasm_reference_types(false)
            .wasm_multi_value(false)
            .wasm_sign_extension(false)
            .wasm_saturating_float_to_int(false)
            .wasm_tail_call(false)
            .wasm_extended_const(false);
        let engine = wasmi::Engine::new(&config);
        let module = wasmi::Module::new(&engine, embedded_bytes()).unwrap();
        let mut store = wasmi::Store::new(&engine, ());
        let linker = wasmi::Linker::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, names::MEMORY).unwrap();
        Self { store, instance, memory }
    }

    fn result(&mut self, name: &str, pair: i32) -> Vec<u8> {
        let mut head = [0; 8];
        self.memory.read(&self.store, pair as usize, &mut head).unwrap();
        let [a, b, c, d, e, f, g, h] = head;
        let (address, length) =
            (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let mut bytes = vec![0; length as usize];
        self.memory.read(&self.store, address as usize, &mut bytes).unwrap();
        let post = format!("{}{}{name}", names::POST, names::PREFIX);
        let post = self.instance.get_typed_func::<i32, ()>(&self.store, &post).unwrap();
        post.call(&mut self.store, pair).unwrap();
        bytes
    }

    fn give(&mut self, name: &str) -> Vec<u8> {
        let export = format!("{}{name}", names::PREFIX);
        let call = self.instance.get_typed_func::<(), i32>(&self.store, &export).unwrap();
        let pair = call.call(&mut self.store, ()).unwrap();
        self.result(name, pair)
    }

    fn take(&mut self, name: &str, request: &[u8]) -> Vec<u8> {
        let realloc = self
            .instance
            .get_typed_func::<(i32, i32, i32, i32), i32>(&self.store, names::REALLOC)
            .unwrap();
        let address = realloc.call(&mut self.store, (0, 0, 1, request.len() as i32)).unwrap();
        self.memory.write(&mut self.store, address as usize, request).unwrap();
        let export = format!("{}{name}", names::PREFIX);
        let call = self.instance.get_typed_func::<(i32, i32), i32>(&self.store, &export).unwrap();
        let pair = call.call(&mut self.store, (address, request.len() as i32)).unwrap();
        self.result(name, pair)
    }
}

impl Executor for InWasmi {
    fn describe(&mut self) -> Vec<u8> {
        self.give("describe")
    }
    fn open(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("open", request)
    }
    fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("handle", request)
    }
    fn save(&mut self) -> Vec<u8> {
        self.give("save")
    }
    fn restore(&mut self, request: &[u8]) -> Vec<u8> {
        self.take("restore", request)
    }
}
