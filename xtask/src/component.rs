//! The core module as a component.
//!
//! The host's conformance tests include this file (by `#[path]`), so that what they run is what is shipped.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component around a core module.
///
/// What `wit-bindgen` leaves in the module (a section called `component-type:…`) survives stripping today. The type
/// is embedded anew all the same, from the file that is the contract: the component is then right even if a linker
/// or an optimiser drops what it does not know.
pub(crate) fn encode(core: &[u8], wit: &Path) -> Result<Vec<u8>, String> {
    let fail = |what: &str, error| format!("{what}: {error:#}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).map_err(|e| fail("wit/", e))?;
    let world =
        resolve.select_world(&[package], Some("plugin")).map_err(|e| fail("wit/world.wit", e))?;
    let mut module = without_type(core)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .map_err(|e| fail("the component's type", e))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .map_err(|e| fail("the component", e))
}

/// The module without the sections that already speak of a component's type.
fn without_type(core: &[u8]) -> Result<Vec<u8>, String> {
    let broken = || "the module's sections cannot be read".to_string();
    let (head, mut rest) = core.split_at_checked(8).ok_or_else(broken)?;
    let mut out = head.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, content) = leb128(after).ok_or_else(broken)?;
        let (section, next) = content.split_at_checked(size).ok_or_else(broken)?;
        let whole = &rest[..rest.len() - next.len()];
        let name = leb128(section).and_then(|(length, name)| name.get(..length));
        if id != 0 || !name.ok_or_else(broken)?.starts_with(b"component-type") {
            out.extend_from_slice(whole);
        }
        rest = next;
    }
    Ok(out)
}

/// A length as WebAssembly writes it, and what follows.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (i, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_speak_of_a_type_are_left_out_and_nothing_else() {
        let head = b"\0asm\x01\0\0\0";
        let typed = b"\0\x10\x0ecomponent-type\x2a";
        let named = b"\0\x06\x04name\x2a";
        let code = b"\x0a\x01\0";
        let module = [&head[..], named, typed, code].concat();
        assert_eq!(without_type(&module).unwrap(), [&head[..], named, code].concat());
    }

    #[test]
    fn a_module_that_ends_too_early_is_refused() {
        assert!(without_type(b"\0asm").is_err());
        assert!(without_type(b"\0asm\x01\0\0\0\x0a\x7f\0").is_err());
    }
}
