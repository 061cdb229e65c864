//! `example(title = "…", arguments = r#"…"#, result = r#"…"#)`: JSON, checked while compiling.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use serde_json::Value;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Token};

use crate::parameter::Parameter;

pub(crate) struct Example {
    title: String,
    arguments: Json,
    result: Option<Json>,
}

/// A literal and what it says.
struct Json {
    value: Value,
    span: Span,
}

impl Parse for Example {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let start = input.span();
        let (mut title, mut arguments, mut result) = (None, None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let text: LitStr = input.parse()?;
            let doubled = match key.to_string().as_str() {
                "title" => title.replace(text.value()).is_some(),
                "arguments" => arguments.replace(Json::read(&text)?).is_some(),
                "result" => result.replace(Json::read(&text)?).is_some(),
                _ => {
                    return Err(Error::new(
                        key.span(),
                        "an example has `title`, `arguments` and `result`",
                    ));
                }
            };
            if doubled {
                return Err(Error::new(key.span(), format!("`{key}` is given twice")));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let arguments = arguments
            .ok_or_else(|| Error::new(start, r##"an example needs `arguments = r#"{…}"#`"##))?;
        Ok(Self {
            title: title.unwrap_or_default(),
            arguments,
            result,
        })
    }
}

impl Json {
    fn read(text: &LitStr) -> syn::Result<Self> {
        let value = serde_json::from_str(&text.value())
            .map_err(|error| Error::new(text.span(), format!("this is not JSON: {error}")))?;
        Ok(Self {
            value,
            span: text.span(),
        })
    }
}

impl Example {
    /// Refuses arguments that the tool would refuse for their names alone.
    pub(crate) fn check(&self, parameters: &[Parameter]) -> syn::Result<()> {
        let fail = |message: String| Err(Error::new(self.arguments.span, message));
        let Value::Object(given) = &self.arguments.value else {
            return fail("the arguments of an example are a JSON object".to_owned());
        };
        if parameters.iter().any(Parameter::is_renamed) {
            return Ok(());
        }
        for key in given.keys() {
            if !parameters.iter().any(|parameter| parameter.name() == *key) {
                return fail(format!("the tool has no parameter `{key}`"));
            }
        }
        for parameter in parameters {
            let name = parameter.name();
            if parameter.is_required() && !given.contains_key(&name) {
                return fail(format!("the example lacks the parameter `{name}`"));
            }
        }
        Ok(())
    }

    /// The value of `cofferdam_sdk::__private::Example`.
    pub(crate) fn expand(&self) -> TokenStream {
        let title = &self.title;
        let arguments = self.arguments.value.to_string();
        let result = self.result.as_ref().map_or_else(
            || quote!(::core::option::Option::None),
            |json| {
                let text = json.value.to_string();
                quote!(::core::option::Option::Some(#text))
            },
        );
        quote! {
            ::cofferdam_sdk::__private::Example {
                title: #title,
                arguments: #arguments,
                result: #result,
            }
        }
    }
}
