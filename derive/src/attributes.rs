//! `#[n(…)]` and `#[cbor(…)]`.

use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitInt, LitStr, Member, Path, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Array,
    Map,
    IndexOnly,
    Transparent,
}

pub(crate) struct Container {
    pub(crate) shape: Shape,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) number: u32,
    pub(crate) with: Option<Path>,
}

impl Container {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut shape = Shape::Array;
        each(attributes, |meta| {
            shape = match meta.path.to_token_stream().to_string().as_str() {
                "array" => Shape::Array,
                "map" => Shape::Map,
                "index_only" => Shape::IndexOnly,
                "transparent" => Shape::Transparent,
                _ => return Err(meta.error("unknown")),
            };
            Ok(())
        })?;
        Ok(Self { shape })
    }
}

impl Field {
    pub(crate) fn of(member: Member, field: &syn::Field) -> Result<Self> {
        let mut with = None;
        each(&field.attrs, |meta| {
            if meta.path.is_ident("with") {
                with = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                Ok(())
            } else {
                number_in(&meta).map(drop)
            }
        })?;
        Ok(Self { member, number: number(&field.attrs, field)?, with })
    }
}

/// The number of a field or a variant, in `#[n(3)]` or `#[cbor(n(3))]`.
pub(crate) fn number(attributes: &[Attribute], of: &impl ToTokens) -> Result<u32> {
    let mut number = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("n")) {
        number = Some(attribute.parse_args::<LitInt>()?.base10_parse()?);
    }
    each(attributes, |meta| {
        if meta.path.is_ident("n") {
            number = Some(number_in(&meta)?);
        } else if meta.path.is_ident("with") {
            meta.value()?.parse::<LitStr>()?;
        }
        Ok(())
    })?;
    number.ok_or_else(|| Error::new_spanned(of, "needs a number: `#[n(…)]`"))
}

pub(crate) fn skipped(attributes: &[Attribute]) -> bool {
    let mut skipped = false;
    // Whatever else is in there is another reader's to complain about.
    let _ = each(attributes, |meta| {
        skipped |= meta.path.is_ident("skip");
        Ok(())
    });
    skipped
}

fn number_in(meta: &ParseNestedMeta<'_>) -> Result<u32> {
    if !meta.path.is_ident("n") {
        return Err(meta.error("unknown"));
    }
    let content;
    syn::parenthesized!(content in meta.input);
    content.parse::<LitInt>()?.base10_parse()
}

fn each(
    attributes: &[Attribute],
    mut take: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cbor")) {
        attribute.parse_nested_meta(&mut take)?;
    }
    Ok(())
}
