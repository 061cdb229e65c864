//! The bindings of the world `cofferdam:tool/sdk`, and the export that `tools!` writes.

#![allow(
    unsafe_code,
    missing_docs,
    clippy::pedantic,
    reason = "generated from wit/, which documents it"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "sdk",
    pub_export_macro: true,
    default_bindings_module: "::cofferdam_sdk::bindings",
    runtime_path: "::cofferdam_sdk::bindings::rt",
});

pub use wit_bindgen::rt;

/// Exports a [`Component`](crate::Component) as the interface `tools`.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($tools:ident) => {
        const _: () = {
            struct Exported;

            impl $crate::bindings::exports::cofferdam::tool::tools::Guest for Exported {
                fn describe() -> $crate::__private::String {
                    $tools.describe()
                }

                fn call(
                    function: $crate::__private::String,
                    arguments: $crate::__private::String,
                ) -> ::core::result::Result<
                    $crate::__private::String,
                    $crate::bindings::exports::cofferdam::tool::tools::ToolError,
                > {
                    $tools
                        .call(&function, &arguments)
                        .map_err(::core::convert::Into::into)
                }
            }

            $crate::bindings::export!(
                Exported with_types_in $crate::bindings
            );
        };
    };
}

impl From<crate::ToolError> for exports::cofferdam::tool::tools::ToolError {
    fn from(error: crate::ToolError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            retryable: error.retryable,
            details: error.details.map(|details| details.to_string()),
        }
    }
}
