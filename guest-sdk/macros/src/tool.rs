//! `#[tool]`: leaves the function as it is and puts beside it a type of the same name, which
//! carries what `tools!` needs. A function and a type may share a name, and both come along when
//! the function is imported.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Error, FnArg, GenericArgument, Ident, Item, ItemFn, PathArguments, ReturnType, Type,
    parse_quote,
};

use crate::options::Options;
use crate::parameter::Parameter;
use crate::{doc, name};

/// Expands to the function even where the tool is refused, so that one mistake is one message.
pub(crate) fn expand(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut function = match parse_function(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let generated = read(options, &mut function);
    for arg in &mut function.sig.inputs {
        if let FnArg::Typed(arg) = arg {
            arg.attrs.retain(|attribute| !is_ours(attribute));
        }
    }
    function.attrs.push(parse_quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            reason = "a tool owns its arguments and says by its type whether it can fail"
        )]
    });
    match generated {
        Ok(tool) => quote!(#function #tool),
        Err(error) => {
            let error = error.into_compile_error();
            let refused = refused(&function);
            quote!(#function #refused #error)
        }
    }
}

fn is_ours(attribute: &syn::Attribute) -> bool {
    ["doc", "default", "serde", "schemars"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

fn parse_function(item: TokenStream) -> syn::Result<ItemFn> {
    const WHERE: &str = "`#[tool]` goes on a free function";
    match syn::parse2(item)? {
        Item::Fn(function) => Ok(function),
        other => Err(Error::new_spanned(other, WHERE)),
    }
}

fn read(options: TokenStream, function: &mut ItemFn) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    check_signature(function)?;
    let description = doc::text(&function.attrs);
    if description.is_empty() {
        return Err(Error::new(
            function.sig.ident.span(),
            "a tool needs a doc comment: it is what a model reads to decide when to call it",
        ));
    }
    let function_name = function_name(&options, &function.sig.ident)?;
    let parameters = function
        .sig
        .inputs
        .iter_mut()
        .map(Parameter::take)
        .collect::<syn::Result<Vec<_>>>()?;
    for example in &options.examples {
        example.check(&parameters)?;
    }
    let returned = Returned::read(&function.sig.output)?;
    let meta = options.expand(&function_name, &description);
    let marker = marker(function);
    let implementation = implementation(&function.sig.ident, &meta, &parameters, &returned);
    Ok(quote!(#marker #implementation))
}

fn check_signature(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        return Err(Error::new(
            word.span(),
            "a tool is a plain function: a guest has one thread and nothing to wait for, so \
             drop `async`",
        ));
    }
    if let syn::Safety::Unsafe(word) = &signature.safety {
        return Err(Error::new(
            word.span(),
            "a tool is a safe function: anybody may call it with any arguments",
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a tool has no generic parameters: its JSON Schema is made from concrete types",
        ));
    }
    Ok(())
}

fn function_name(options: &Options, ident: &Ident) -> syn::Result<String> {
    let (text, span) = match &options.name {
        Some(literal) => (literal.value(), literal.span()),
        None => (name::of_function(ident), ident.span()),
    };
    if !name::is_kebab(&text) {
        return Err(Error::new(
            span,
            "this name has no form in lower-case words: give one with `#[tool(name = \"…\")]`",
        ));
    }
    // The component's name needs a letter and a hyphen of the whole.
    if text.len() > name::TOOL_NAME_BYTES_MAX - 2 {
        return Err(Error::new(
            span,
            format!(
                "a tool's name, component and function together, has at most {} characters",
                name::TOOL_NAME_BYTES_MAX
            ),
        ));
    }
    Ok(text)
}

/// The type that stands for the function.
fn marker(function: &ItemFn) -> TokenStream {
    let (visibility, ident) = (&function.vis, &function.sig.ident);
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, reason = "stands for the function")]
        #visibility struct #ident {}
    }
}

/// Keeps `tools!` from complaining about a tool that has been refused with a message of its own.
fn refused(function: &ItemFn) -> TokenStream {
    if function.sig.receiver().is_some() {
        // Inside an `impl` no type can be declared.
        return TokenStream::new();
    }
    let ident = &function.sig.ident;
    let name = name::of_function(ident);
    let marker = marker(function);
    quote! {
        #marker
        impl ::cofferdam_sdk::__private::Tool for #ident {
            const META: ::cofferdam_sdk::__private::Meta =
                ::cofferdam_sdk::__private::Meta::refused(#name);
            fn args_schema() -> ::cofferdam_sdk::serde_json::Value {
                ::core::unreachable!()
            }
            fn returns_schema() -> ::cofferdam_sdk::serde_json::Value {
                ::core::unreachable!()
            }
            fn call(
                _: &::core::primitive::str,
            ) -> ::core::result::Result<
                ::cofferdam_sdk::__private::String,
                ::cofferdam_sdk::ToolError,
            > {
                ::core::unreachable!()
            }
        }
    }
}

fn implementation(
    ident: &Ident,
    meta: &TokenStream,
    parameters: &[Parameter],
    returned: &Returned,
) -> TokenStream {
    let (fields, defaults): (Vec<_>, Vec<_>) = parameters.iter().map(Parameter::expand).unzip();
    let names: Vec<&Ident> = parameters
        .iter()
        .map(|parameter| &parameter.ident)
        .collect();
    let output = &returned.ty;
    let returns_schema = quote_spanned! { output.span() =>
        ::cofferdam_sdk::__private::returns_schema::<#output>()
    };
    let output_of_call = output_of_call(&quote!(#ident(#(#names),*)), returned);
    let encode = quote_spanned! { output.span() =>
        ::cofferdam_sdk::__private::encode::<#output>(&output)
    };
    quote! {
        const _: () = {
            #[derive(
                ::cofferdam_sdk::serde::Deserialize,
                ::cofferdam_sdk::schemars::JsonSchema,
            )]
            #[serde(crate = "::cofferdam_sdk::serde", deny_unknown_fields)]
            #[schemars(crate = "::cofferdam_sdk::schemars")]
            struct __Arguments { #(#fields,)* }

            #(#defaults)*

            impl ::cofferdam_sdk::__private::Tool for #ident {
                const META: ::cofferdam_sdk::__private::Meta = #meta;

                fn args_schema() -> ::cofferdam_sdk::serde_json::Value {
                    ::cofferdam_sdk::__private::args_schema::<__Arguments>()
                }

                fn returns_schema() -> ::cofferdam_sdk::serde_json::Value {
                    #returns_schema
                }

                fn call(
                    arguments: &::core::primitive::str,
                ) -> ::core::result::Result<
                    ::cofferdam_sdk::__private::String,
                    ::cofferdam_sdk::ToolError,
                > {
                    let __Arguments { #(#names),* } =
                        ::cofferdam_sdk::__private::decode(arguments)?;
                    let output = #output_of_call;
                    #encode
                }
            }
        };
    }
}

/// The value of a call of the function, which returns its error to the caller.
fn output_of_call(call: &TokenStream, returned: &Returned) -> TokenStream {
    let Some(error) = &returned.error else {
        return call.clone();
    };
    let fail = quote_spanned! { error.span() =>
        ::core::result::Result::Err(error) => {
            return ::core::result::Result::Err(::cofferdam_sdk::__private::fail(error));
        }
    };
    quote!(match #call {
        ::core::result::Result::Ok(output) => output,
        #fail
    })
}

/// What the function returns, read from its text: `Result<T, E>` by its last word, anything else
/// as a value.
struct Returned {
    ty: Type,
    /// Present when it is a `Result`: its second type, or the alias that hides it.
    error: Option<Type>,
}

impl Returned {
    fn read(output: &ReturnType) -> syn::Result<Self> {
        let whole = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let mut types = result_types(&whole).into_iter();
        let (ty, error) = match types.next() {
            Some(ok) => (ok, Some(types.next().unwrap_or(whole))),
            None => (whole, None),
        };
        if matches!(ty, Type::ImplTrait(_) | Type::Never(_)) {
            return Err(Error::new_spanned(
                ty,
                "a tool returns a concrete type: its JSON Schema is made from it",
            ));
        }
        Ok(Self { ty, error })
    }
}

/// The types that a `Result` is written with; none when it is no `Result`.
fn result_types(ty: &Type) -> Vec<Type> {
    let Type::Path(path) = ty else { return vec![] };
    let arguments = match path.path.segments.last() {
        Some(last) if last.ident == "Result" => &last.arguments,
        _ => return vec![],
    };
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return vec![];
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    types.collect()
}
