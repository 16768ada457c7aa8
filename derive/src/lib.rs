//! `Encode` and `Decode` for the core's own CBOR traits (`src/cbor.rs`), and `Kept` for snapshots (`src/snapshot.rs`).
//!
//! The attributes are those of `minicbor-derive`, in which the core was first written: `#[n(3)]` numbers a field or a
//! variant for ever, `#[cbor(map)]` makes a struct a map instead of an array, `#[cbor(index_only)]` makes an enum
//! without fields a number, `#[cbor(transparent)]` makes a struct its only field, `with = "…"` names a module with
//! `encode` and `decode`, `#[cbor(skip)]` leaves a field out.
//!
//! What differs is the code that comes out. Encoding cannot fail; decoding does not stop where it fails, because the
//! decoder remembers; and fields are read in the order of their numbers (RFC 8949, 4.2.1). So a field costs a call or
//! two and no branch.
//!
//! Deliberately absent: generics, tags, borrowed fields. Nothing here needs them.

mod attributes;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Index, Member, Result};

use attributes::{Container, Field, Shape};

/// Writes a value; see the crate's page.
#[proc_macro_derive(Encode, attributes(n, cbor))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    expand(input, encode)
}

/// Reads a value; see the crate's page.
#[proc_macro_derive(Decode, attributes(n, cbor))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    expand(input, decode)
}

/// Walks over a value for a snapshot: a struct's fields in their order; an enum's variant by its place, then its fields.
#[proc_macro_derive(Kept)]
pub fn derive_kept(input: TokenStream) -> TokenStream {
    expand(input, kept)
}

fn kept(input: &DeriveInput) -> Result<Tokens> {
    let name = plain_name(input)?;
    let body = match &input.data {
        Data::Struct(data) => {
            let fields = data.fields.iter().enumerate().map(|(i, field)| member(i, field));
            quote!(#(crate::snapshot::Kept::walk(&mut self.#fields, w);)*)
        }
        Data::Enum(data) => {
            let count = data.variants.len() as u32;
            let (mut numbers, mut blanks, mut walks) = (Vec::new(), Vec::new(), Vec::new());
            for (number, variant) in (0_u32..).zip(&data.variants) {
                let name = &variant.ident;
                let members: Vec<_> =
                    variant.fields.iter().enumerate().map(|(i, field)| member(i, field)).collect();
                let names: Vec<_> = (0..members.len()).map(|i| format_ident!("f{i}")).collect();
                numbers.push(quote!(Self::#name { .. } => #number));
                let blank =
                    quote!(Self::#name { #(#members: ::core::default::Default::default()),* });
                blanks.push(if number == 0 {
                    quote!(_ => #blank)
                } else {
                    quote!(#number => #blank)
                });
                walks.push(quote! {
                    Self::#name { #(#members: #names),* } => {
                        #(crate::snapshot::Kept::walk(#names, w);)*
                    }
                });
            }
            blanks.rotate_left(1);
            quote! {
                let number = w.variant(match self { #(#numbers),* }, #count);
                if w.reads {
                    *self = match number { #(#blanks),* };
                }
                match self { #(#walks)* }
            }
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "a union cannot be kept")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl crate::snapshot::Kept for #name {
            fn walk(&mut self, w: &mut crate::snapshot::Walk<'_>) { #body }
        }
    })
}

fn expand(input: TokenStream, derive: fn(&DeriveInput) -> Result<Tokens>) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn encode(input: &DeriveInput) -> Result<Tokens> {
    let name = plain_name(input)?;
    let container = Container::of(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => {
            let fields = fields(&data.fields, container.shape)?;
            let access = fields.iter().map(|field| {
                let member = &field.member;
                quote!(self.#member)
            });
            let writes = encode_fields(&fields, access.collect());
            match container.shape {
                Shape::Transparent => quote!(#(#writes)*),
                Shape::Map => {
                    let count = fields.len() as u32;
                    let keys = fields.iter().map(|field| field.number);
                    quote!(e.map(#count); #(e.number(#keys); #writes)*)
                }
                _ => {
                    let count = fields.len() as u32;
                    quote!(e.array(#count); #(#writes)*)
                }
            }
        }
        Data::Enum(data) => encode_enum(data, container.shape)?,
        Data::Union(_) => return Err(Error::new_spanned(name, "a union has no CBOR")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl crate::cbor::Encode for #name {
            fn encode(&self, e: &mut crate::cbor::Encoder) { #body }
        }
    })
}

fn encode_enum(data: &DataEnum, shape: Shape) -> Result<Tokens> {
    let mut arms = Vec::new();
    for variant in &data.variants {
        let name = &variant.ident;
        let number = attributes::number(&variant.attrs, variant)?;
        if shape == Shape::IndexOnly {
            no_fields(&variant.fields)?;
            arms.push(quote!(Self::#name => #number));
            continue;
        }
        let fields = fields(&variant.fields, Shape::Array)?;
        let members = fields.iter().map(|field| &field.member);
        let names: Vec<_> = (0..fields.len()).map(|i| format_ident!("f{i}")).collect();
        let writes = encode_fields(&fields, names.iter().map(|name| quote!(*#name)).collect());
        let count = fields.len() as u32;
        arms.push(quote! {
            Self::#name { #(#members: #names),* } => {
                e.variant(#number, #count);
                #(#writes)*
            }
        });
    }
    Ok(match shape {
        Shape::IndexOnly => quote!(e.number(match self { #(#arms),* })),
        _ => quote!(match self { #(#arms)* }),
    })
}

fn encode_fields(fields: &[Field], access: Vec<Tokens>) -> Vec<Tokens> {
    fields
        .iter()
        .zip(access)
        .map(|(field, access)| match &field.with {
            Some(path) => quote!(#path::encode(&#access, e);),
            None => quote!(crate::cbor::Encode::encode(&#access, e);),
        })
        .collect()
}

fn decode(input: &DeriveInput) -> Result<Tokens> {
    let name = plain_name(input)?;
    let container = Container::of(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => {
            let all = &data.fields;
            let fields = fields(all, container.shape)?;
            match container.shape {
                Shape::Transparent => {
                    let member = &fields[0].member;
                    let read = match &fields[0].with {
                        Some(path) => quote!(#path::decode(d)),
                        None => quote!(crate::cbor::Decode::decode(d)),
                    };
                    quote!(Self { #member: #read })
                }
                shape => {
                    let reader = if shape == Shape::Map { quote!(Map) } else { quote!(Array) };
                    let build = decode_fields(quote!(Self), all, &fields, shape);
                    quote! {
                        let mut r = crate::cbor::#reader::start(d);
                        let value = #build;
                        r.end(d);
                        value
                    }
                }
            }
        }
        Data::Enum(data) => decode_enum(data, container.shape)?,
        Data::Union(_) => return Err(Error::new_spanned(name, "a union has no CBOR")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl crate::cbor::Decode for #name {
            fn decode(d: &mut crate::cbor::Decoder<'_>) -> Self { #body }
        }
    })
}

/// What is read after a fault is the first variant, so that one must not contain the enum itself.
fn decode_enum(data: &DataEnum, shape: Shape) -> Result<Tokens> {
    let mut arms = Vec::new();
    let mut count = 0;
    for variant in &data.variants {
        let name = &variant.ident;
        let number = attributes::number(&variant.attrs, variant)?;
        count = count.max(number + 1);
        let build = if shape == Shape::IndexOnly {
            no_fields(&variant.fields)?;
            quote!(Self::#name)
        } else {
            let all = &variant.fields;
            decode_fields(quote!(Self::#name), all, &fields(all, Shape::Array)?, Shape::Array)
        };
        arms.push((number, build));
    }
    arms.sort_by_key(|&(number, _)| number);
    if let Some(twice) = arms.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::new_spanned(&twice[1].1, "this number is taken"));
    }
    let dense = arms.iter().enumerate().all(|(i, &(number, _))| number == i as u32);
    let mut arms = arms.into_iter();
    let Some((first_number, first)) = arms.next() else {
        return Err(Error::new_spanned(&data.variants, "an enum without variants has no CBOR"));
    };
    let (numbers, builds): (Vec<_>, Vec<_>) = arms.unzip();
    // Numbers between those of the variants are as unknown as those beyond.
    let gap = if dense {
        quote!()
    } else {
        quote!(if !matches!(n, #first_number #(| #numbers)*) {
            d.fail(crate::cbor::Fault::Unknown);
        })
    };
    let start = match shape {
        Shape::IndexOnly => quote!(let n = d.index(#count);),
        _ => quote! {
            let mut r = crate::cbor::Array::start(d);
            let n = r.variant(d, #count);
        },
    };
    let value = quote!(match n { #(#numbers => #builds,)* _ => #first });
    Ok(match shape {
        Shape::IndexOnly => quote!(#start #gap #value),
        _ => quote!(#start #gap let value = #value; r.end(d); value),
    })
}

/// The value, its fields read in the order of their numbers.
fn decode_fields(path: Tokens, all: &Fields, fields: &[Field], shape: Shape) -> Tokens {
    // A struct's fields are evaluated in the order in which they are written here.
    let reads = fields.iter().map(|field| {
        let (member, number) = (&field.member, field.number);
        let key = if shape == Shape::Map { quote!(, #number) } else { quote!() };
        match &field.with {
            Some(path) => quote!(#member: { r.next(d #key, false); #path::decode(d) }),
            None => quote!(#member: r.field(d #key)),
        }
    });
    let skipped =
        all.iter().enumerate().filter(|(_, field)| attributes::skipped(&field.attrs)).map(
            |(i, field)| {
                let member = member(i, field);
                quote!(#member: ::core::default::Default::default())
            },
        );
    quote!(#path { #(#reads,)* #(#skipped,)* })
}

/// The fields to write, by number.
fn fields(all: &Fields, shape: Shape) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for (i, field) in all.iter().enumerate() {
        if !attributes::skipped(&field.attrs) {
            fields.push(Field::of(member(i, field), field)?);
        }
    }
    fields.sort_by_key(|field| field.number);
    if let Some(twice) = fields.windows(2).find(|pair| pair[0].number == pair[1].number) {
        return Err(Error::new_spanned(&twice[1].member, "this number is taken"));
    }
    if shape == Shape::Transparent && fields.len() != 1 {
        return Err(Error::new_spanned(all, "a transparent struct has one field"));
    }
    let dense = fields.iter().enumerate().all(|(i, field)| field.number == i as u32);
    if shape == Shape::Array && !dense {
        return Err(Error::new_spanned(all, "the numbers of an array's fields have no gaps"));
    }
    Ok(fields)
}

fn member(i: usize, field: &syn::Field) -> Member {
    field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named)
}

fn no_fields(fields: &Fields) -> Result<()> {
    if fields.is_empty() {
        Ok(())
    } else {
        Err(Error::new_spanned(fields, "a variant of an `index_only` enum has no fields"))
    }
}

fn plain_name(input: &DeriveInput) -> Result<&syn::Ident> {
    if input.generics.params.is_empty() {
        Ok(&input.ident)
    } else {
        Err(Error::new_spanned(&input.generics, "generic types are not supported"))
    }
}
