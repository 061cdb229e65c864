//! `#[data]`: the derives that a type needs to cross the boundary, without a dependency on serde.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Ident};

/// Which way values of the type go.
enum Way {
    In,
    Out,
    Both,
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let way = way(options)?;
    let item: DeriveInput = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), "`#[data]` goes on a struct or an enum"))?;
    let derives = match way {
        Way::In => quote!(::cofferdam_sdk::serde::Deserialize),
        Way::Out => quote!(::cofferdam_sdk::serde::Serialize),
        Way::Both => {
            quote!(
                ::cofferdam_sdk::serde::Serialize,
                ::cofferdam_sdk::serde::Deserialize
            )
        }
    };
    Ok(quote! {
        #[derive(#derives, ::cofferdam_sdk::schemars::JsonSchema)]
        #[serde(crate = "::cofferdam_sdk::serde")]
        #[schemars(crate = "::cofferdam_sdk::schemars")]
        #item
    })
}

fn way(options: TokenStream) -> syn::Result<Way> {
    if options.is_empty() {
        return Ok(Way::Both);
    }
    let word: Ident = syn::parse2(options)?;
    match word.to_string().as_str() {
        "input" => Ok(Way::In),
        "output" => Ok(Way::Out),
        _ => Err(Error::new(
            word.span(),
            "expected `#[data]`, `#[data(input)]` for a type of parameters only, or \
             `#[data(output)]` for a type of results only",
        )),
    }
}
