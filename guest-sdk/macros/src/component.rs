//! `tools!`: the component's table of tools and its export.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, LitStr, Path, Token};

use crate::name;

struct Component {
    name: Option<LitStr>,
    tools: Vec<Path>,
}

impl Parse for Component {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let name = if input.peek(Ident) && input.peek2(Token![=]) {
            Some(parse_name(input)?)
        } else {
            None
        };
        let tools =
            Punctuated::<Path, Token![,]>::parse_terminated_with(input, Path::parse_mod_style)?;
        if tools.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "a component has at least one tool: `tools![greet]`",
            ));
        }
        Ok(Self {
            name,
            tools: tools.into_iter().collect(),
        })
    }
}

fn parse_name(input: ParseStream) -> syn::Result<LitStr> {
    let key: Ident = input.parse()?;
    if key != "component" {
        return Err(Error::new(
            key.span(),
            "expected the names of tool functions, after an optional `component = \"name\";`",
        ));
    }
    input.parse::<Token![=]>()?;
    let name = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(name)
}

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let component: Component = syn::parse2(input)?;
    let name = component_name(component.name.as_ref())?;
    let entries = component
        .tools
        .iter()
        .map(entry)
        .collect::<syn::Result<Vec<_>>>()?;
    let checks = component.tools.iter().enumerate().map(|(index, tool)| {
        quote_spanned! { tool.span() =>
            const _: () = ::cofferdam_sdk::__private::check(&TOOLS, #index);
        }
    });
    Ok(quote! {
        /// The tools of this component.
        pub static TOOLS: ::cofferdam_sdk::Component = ::cofferdam_sdk::__private::component(
            #name,
            ::core::env!("CARGO_PKG_VERSION"),
            &[#(#entries),*],
        );
        #(#checks)*

        #[cfg(target_family = "wasm")]
        ::cofferdam_sdk::__export!(TOOLS);
    })
}

/// One tool's entry. A function without `#[tool]` has no type of its name; then the one declared
/// here is found in its place, so that the message speaks of tools instead of types.
fn entry(tool: &Path) -> syn::Result<TokenStream> {
    let Some(last) = tool.segments.last() else {
        return Err(Error::new_spanned(tool, "expected the name of a function"));
    };
    let ident = &last.ident;
    let mut parent = tool.clone();
    parent.segments.pop();
    parent.segments.pop_punct();
    let rooted = parent.leading_colon.is_some()
        || parent.segments.first().is_some_and(|first| {
            ["crate", "self", "super"]
                .iter()
                .any(|root| first.ident == root)
        });
    // `self::` looks past the type declared below, which may be named like the module.
    let scope = match (parent.segments.is_empty(), rooted) {
        (true, _) => quote!(self),
        (false, true) => quote!(#parent),
        (false, false) => quote!(self::#parent),
    };
    let entry = quote_spanned! { tool.span() =>
        ::cofferdam_sdk::__private::Entry::of::<#ident>()
    };
    Ok(quote! {
        {
            #[allow(non_camel_case_types, dead_code, reason = "named like a function")]
            struct #ident {}
            {
                #[allow(unused_imports, reason = "has nothing when the function is no tool")]
                use #scope::*;
                #entry
            }
        }
    })
}

fn component_name(given: Option<&LitStr>) -> syn::Result<String> {
    let (text, span, place) = match given {
        Some(literal) => (literal.value(), literal.span(), "here"),
        None => match std::env::var("CARGO_PKG_NAME") {
            Ok(package) => (
                package,
                Span::call_site(),
                "as the package name in Cargo.toml",
            ),
            Err(_) => {
                return Err(Error::new(
                    Span::call_site(),
                    "no package name to take the component's name from: give it with \
                     `tools! { component = \"name\"; … }`",
                ));
            }
        },
    };
    if name::is_kebab(&text) {
        return Ok(text);
    }
    let hint = match name::to_kebab(&text) {
        kebab if kebab.is_empty() => String::new(),
        kebab => format!("; write `{kebab}` {place}"),
    };
    let other = match given {
        Some(_) => "",
        None => ", or give another with `tools! { component = \"name\"; … }`",
    };
    Err(Error::new(
        span,
        format!(
            "`{text}` can't be a component's name, which is lower-case words joined by \
             hyphens{hint}{other}"
        ),
    ))
}
