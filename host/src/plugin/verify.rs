//! Whether a module is a plugin: no imports, and the exports of the contract with nothing beside them.

use std::collections::BTreeSet;

use muster::wire::names;
use wasmtime::{ExternType, FuncType, Module, ValType};

use super::PluginError;

/// What a module shows from outside, whether it is a plugin or not.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Shape {
    /// What it asks for: module, name and kind.
    pub imports: Vec<String>,
    /// What it gives: name and type.
    pub exports: Vec<Export>,
    /// Pages of its memory before the first call; absent without a memory.
    pub initial_pages: Option<u64>,
    /// The most pages that it declares; absent where it declares none.
    pub maximum_pages: Option<u64>,
}

/// One export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Export {
    /// Name.
    pub name: String,
    /// Type, for people.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Shape {
    /// Looks at a module.
    pub fn of(module: &Module) -> Self {
        let imports = module
            .imports()
            .map(|import| format!("{}.{} ({})", import.module(), import.name(), kind(&import.ty())))
            .collect();
        let mut exports: Vec<Export> = module
            .exports()
            .map(|export| Export { name: export.name().into(), kind: kind(&export.ty()) })
            .collect();
        exports.sort();
        let memory = module.exports().find_map(|export| export.ty().memory().cloned());
        Self {
            imports,
            exports,
            initial_pages: memory.as_ref().map(|memory| memory.minimum()),
            maximum_pages: memory.and_then(|memory| memory.maximum()),
        }
    }
}

/// The exports of the contract, each with its type.
fn contract() -> Vec<(String, &'static str)> {
    let mut all: Vec<(String, &str)> = vec![
        (names::MEMORY.into(), "memory"),
        (names::REALLOC.into(), "(i32, i32, i32, i32) -> (i32)"),
    ];
    for global in names::GLOBALS {
        all.push((global.into(), "global i32"));
    }
    for function in names::FUNCTIONS {
        let takes_nothing = matches!(function, "describe" | "save");
        let kind = if takes_nothing { "() -> (i32)" } else { "(i32, i32) -> (i32)" };
        all.push((format!("{}{function}", names::PREFIX), kind));
        all.push((format!("{}{}{function}", names::POST, names::PREFIX), "(i32) -> ()"));
    }
    all
}

/// `wit-bindgen` exports its allocator a second time, under a name with its own version in it.
fn tolerated(export: &Export) -> bool {
    export.name.starts_with("cabi_realloc_wit_bindgen_")
}

pub(super) fn verify(module: &Module) -> Result<Shape, PluginError> {
    let shape = Shape::of(module);
    if !shape.imports.is_empty() {
        return Err(PluginError::Imports(shape.imports));
    }
    let contract = contract();
    let missing: Vec<String> = contract
        .iter()
        .filter(|(name, kind)| !shape.exports.iter().any(|e| e.name == *name && e.kind == *kind))
        .map(|(name, _)| name.clone())
        .collect();
    let known: BTreeSet<&str> = contract.iter().map(|(name, _)| name.as_str()).collect();
    let unknown: Vec<String> = shape
        .exports
        .iter()
        .filter(|export| !known.contains(export.name.as_str()) && !tolerated(export))
        .map(|export| export.name.clone())
        .collect();
    if missing.is_empty() && unknown.is_empty() {
        Ok(shape)
    } else {
        Err(PluginError::Exports { missing, unknown })
    }
}

fn kind(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(function) => function_kind(function),
        ExternType::Memory(memory) if !memory.is_64() && !memory.is_shared() => "memory".into(),
        ExternType::Memory(_) => "memory of another kind".into(),
        ExternType::Global(global) => format!("global {}", value_kind(global.content())),
        ExternType::Table(_) => "table".into(),
        ExternType::Tag(_) => "tag".into(),
    }
}

fn function_kind(function: &FuncType) -> String {
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| value_kind(&ty)).collect::<Vec<_>>().join(", ")
    };
    format!("({}) -> ({})", list(&mut function.params()), list(&mut function.results()))
}

fn value_kind(ty: &ValType) -> String {
    ty.to_string()
}
