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

/// Where a component's name stands, which decides how to mend it.
enum Origin {
    Package,
    Macro,
}

fn component_name(given: Option<&LitStr>) -> syn::Result<String> {
    if let Some(literal) = given {
        return check_name(literal.value(), literal.span(), &Origin::Macro);
    }
    #[allow(
        clippy::disallowed_methods,
        reason = "cargo tells a macro by the environment whose code it expands"
    )]
    let package = std::env::var("CARGO_PKG_NAME");
    match package {
        Ok(package) => check_name(package, Span::call_site(), &Origin::Package),
        Err(_) => Err(Error::new(
            Span::call_site(),
            "no package name to take the component's name from: give it with \
             `tools! { component = \"name\"; … }`",
        )),
    }
}

fn check_name(text: String, span: Span, origin: &Origin) -> syn::Result<String> {
    if name::is_kebab(&text) {
        return Ok(text);
    }
    let kebab = match name::to_kebab(&text) {
        kebab if kebab.is_empty() => "name".to_owned(),
        kebab => kebab,
    };
    let remedy = match origin {
        Origin::Package => format!(
            "name the package `{kebab}` in Cargo.toml, or write \
             `tools! {{ component = \"{kebab}\"; … }}`"
        ),
        Origin::Macro => format!("write `{kebab}`"),
    };
    Err(Error::new(
        span,
        format!(
            "`{text}` can't be a component's name, which is lower-case words joined by hyphens: \
             {remedy}"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_comes_with_one_that_works() {
        for (text, origin, remedy) in [
            (
                "my_tools",
                Origin::Package,
                "name the package `my-tools` in Cargo.toml, or write",
            ),
            (
                "my_tools",
                Origin::Package,
                "`tools! { component = \"my-tools\"; … }`",
            ),
            ("MyTools", Origin::Macro, "write `my-tools`"),
            ("2_1", Origin::Macro, "write `name`"),
        ] {
            let refused = check_name(text.to_owned(), Span::call_site(), &origin);
            let message = refused.expect_err(text).to_string();
            assert!(message.contains(remedy), "{message}");
        }
        let name = check_name("my-tools".to_owned(), Span::call_site(), &Origin::Package);
        assert_eq!(name.ok().as_deref(), Some("my-tools"));
    }
}
