//! The macros behind `cofferdam-sdk`, which re-exports them; no crate depends on this one directly.
//!
//! Owns how a function is read and what code is generated for it, and every refusal that can be
//! made while compiling. Refuses to know WIT and the manifest's JSON: the generated code only fills
//! types of `cofferdam_sdk::__private`.
//!
//! Start in `tool.rs` for `#[tool]` and in `component.rs` for `tools!`.

#![forbid(unsafe_code)]

mod component;
mod data;
mod doc;
mod example;
mod name;
mod options;
mod parameter;
mod tool;

use proc_macro::TokenStream;

/// Makes a tool of a function. See the crate documentation of `cofferdam_sdk`.
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(options.into(), &item.into()).into()
}

/// Makes a component of tools. See the crate documentation of `cofferdam_sdk`.
#[proc_macro]
pub fn tools(input: TokenStream) -> TokenStream {
    component::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type usable as a parameter or a result. See the crate documentation of `cofferdam_sdk`.
#[proc_macro_attribute]
pub fn data(options: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(options.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
