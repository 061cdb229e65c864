//! The options of `#[tool(…)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Token, parenthesized};

use crate::example::Example;
use crate::name;

const KNOWN: &str = "`#[tool]` knows `name = \"…\"`, `read_only`, `destructive`, `idempotent`, \
     `tags(…)`, `example(…)`, `capabilities(…)` and `limits(…)`";

const KNOWN_CAPABILITIES: &str = "the capabilities are `workspace(read_only)`, \
     `workspace(read_write)`, `clocks`, `random`, `network`, `subprocess`, `environment`, \
     `secret`, `key_value` and `tool_call`";

const LIMITS: [&str; 4] = ["fuel", "deadline_ms", "memory_bytes", "result_bytes"];

const KNOWN_LIMITS: &str =
    "the limits are `fuel`, `deadline_ms`, `memory_bytes` and `result_bytes`";

#[derive(Default)]
pub(crate) struct Options {
    /// The function part of the tool's name.
    pub(crate) name: Option<LitStr>,
    pub(crate) examples: Vec<Example>,
    read_only: Option<Ident>,
    destructive: Option<Ident>,
    idempotent: Option<Ident>,
    tags: Vec<LitStr>,
    /// Kind and value.
    capabilities: Vec<(Ident, TokenStream)>,
    /// Field and value.
    limits: Vec<(Ident, Expr)>,
}

impl Parse for Options {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if let (Some(_), Some(word)) = (&options.read_only, &options.destructive) {
            return Err(Error::new(
                word.span(),
                "a tool that is `read_only` changes nothing, so it can't be `destructive`",
            ));
        }
        Ok(options)
    }
}

impl Options {
    fn parse_one(&mut self, input: ParseStream) -> syn::Result<()> {
        let key = input
            .parse::<Ident>()
            .map_err(|error| Error::new(error.span(), KNOWN))?;
        match key.to_string().as_str() {
            "read_only" => set(&mut self.read_only, key.clone(), &key),
            "destructive" => set(&mut self.destructive, key.clone(), &key),
            "idempotent" => set(&mut self.idempotent, key.clone(), &key),
            "name" => {
                input.parse::<Token![=]>()?;
                set(&mut self.name, parse_name(input)?, &key)
            }
            "tags" => {
                let tags = list::<LitStr>(input)?;
                if !self.tags.is_empty() {
                    return Err(twice(&key));
                }
                self.tags = tags;
                Ok(())
            }
            "example" => {
                let content;
                parenthesized!(content in input);
                self.examples.push(content.parse()?);
                Ok(())
            }
            "capabilities" => {
                for Capability(kind, value) in list::<Capability>(input)? {
                    if self.capabilities.iter().any(|(known, _)| *known == kind) {
                        return Err(twice(&kind));
                    }
                    self.capabilities.push((kind, value));
                }
                Ok(())
            }
            "limits" => {
                for Limit(field, value) in list::<Limit>(input)? {
                    if self.limits.iter().any(|(known, _)| *known == field) {
                        return Err(twice(&field));
                    }
                    self.limits.push((field, value));
                }
                Ok(())
            }
            _ => Err(Error::new(key.span(), KNOWN)),
        }
    }

    /// The value of `cofferdam_sdk::__private::Meta`.
    pub(crate) fn expand(&self, function: &str, description: &str) -> TokenStream {
        let read_only = self.read_only.is_some();
        let destructive = self.destructive.is_some();
        let idempotent = self.idempotent.is_some();
        let tags = &self.tags;
        let examples = self.examples.iter().map(Example::expand);
        let capabilities = self.capabilities.iter().map(|(_, value)| value);
        let limits = LIMITS.iter().map(|name| {
            let field = Ident::new(name, Span::call_site());
            let given = self.limits.iter().find(|(given, _)| given == name);
            let value = given.map_or_else(
                || quote!(::core::option::Option::None),
                |(_, value)| quote!(::core::option::Option::Some(#value)),
            );
            quote!(#field: #value)
        });
        quote! {
            ::cofferdam_sdk::__private::Meta {
                function: #function,
                description: #description,
                safety: ::cofferdam_sdk::__private::Safety {
                    read_only: #read_only,
                    destructive: #destructive,
                    idempotent: #idempotent,
                },
                tags: &[#(#tags),*],
                capabilities: &[#(#capabilities),*],
                examples: &[#(#examples),*],
                limits: ::cofferdam_sdk::__private::Limits { #(#limits,)* },
            }
        }
    }
}

fn set<T>(slot: &mut Option<T>, value: T, key: &Ident) -> syn::Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(twice(key)),
    }
}

fn twice(key: &Ident) -> Error {
    Error::new(key.span(), format!("`{key}` is given twice"))
}

fn list<T: Parse>(input: ParseStream) -> syn::Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated(&content)?;
    Ok(items.into_iter().collect())
}

fn parse_name(input: ParseStream) -> syn::Result<LitStr> {
    let text: LitStr = input.parse()?;
    let value = text.value();
    if name::is_kebab(&value) {
        return Ok(text);
    }
    let hint = match name::to_kebab(&value) {
        kebab if kebab.is_empty() => String::new(),
        kebab => format!(": `{kebab}`"),
    };
    Err(Error::new(
        text.span(),
        format!("a tool's name is lower-case words joined by hyphens{hint}"),
    ))
}

/// Kind and value.
struct Capability(Ident, TokenStream);

impl Parse for Capability {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let kind = input
            .parse::<Ident>()
            .map_err(|error| Error::new(error.span(), KNOWN_CAPABILITIES))?;
        let word = kind.to_string();
        let variant = match word.as_str() {
            "workspace" => {
                let value = parse_workspace(&kind, input)?;
                return Ok(Self(kind, value));
            }
            "clocks" => quote!(Clocks),
            "random" => quote!(Random),
            "network" => quote!(Network),
            "subprocess" => quote!(Subprocess),
            "environment" => quote!(Environment),
            "secret" => quote!(Secret),
            "key_value" => quote!(KeyValue),
            "tool_call" => quote!(ToolCall),
            _ => return Err(Error::new(kind.span(), KNOWN_CAPABILITIES)),
        };
        Ok(Self(
            kind,
            quote!(::cofferdam_sdk::__private::Capability::#variant),
        ))
    }
}

fn parse_workspace(kind: &Ident, input: ParseStream) -> syn::Result<TokenStream> {
    const SHAPE: &str = "say what the tool does there: `workspace(read_only)` or \
         `workspace(read_write)`, and `optional` when it also works without one: \
         `workspace(read_only, optional)`";
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(kind.span(), SHAPE));
    }
    let words = list::<Ident>(input)?;
    let texts: Vec<String> = words.iter().map(Ident::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (access, optional) = match texts.as_slice() {
        ["read_only"] => (quote!(ReadOnly), false),
        ["read_write"] => (quote!(ReadWrite), false),
        ["read_only", "optional"] => (quote!(ReadOnly), true),
        ["read_write", "optional"] => (quote!(ReadWrite), true),
        _ => return Err(Error::new(kind.span(), SHAPE)),
    };
    Ok(quote! {
        ::cofferdam_sdk::__private::Capability::Workspace {
            access: ::cofferdam_sdk::__private::Access::#access,
            optional: #optional,
        }
    })
}

/// Field and value.
struct Limit(Ident, Expr);

impl Parse for Limit {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let field = input
            .parse::<Ident>()
            .map_err(|error| Error::new(error.span(), KNOWN_LIMITS))?;
        if !LIMITS.iter().any(|known| field == known) {
            return Err(Error::new(field.span(), KNOWN_LIMITS));
        }
        input.parse::<Token![=]>()?;
        let value: Expr = input.parse()?;
        match &value {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) if number.base10_digits() != "0" => {}
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => {
                return Err(Error::new_spanned(
                    number,
                    "a limit of zero refuses every call",
                ));
            }
            Expr::Lit(other) => {
                return Err(Error::new_spanned(other, "a limit is a whole number"));
            }
            _ => {}
        }
        Ok(Self(field, value))
    }
}
