//! The parameters of a tool function, which become the fields of its arguments.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Error, Expr, FnArg, Ident, Pat, Type};

use crate::doc;

pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    ty: Type,
    doc: String,
    default: Option<Expr>,
    /// `#[serde(…)]` and `#[schemars(…)]`, which belong to the field.
    field_attributes: Vec<Attribute>,
}

impl Parameter {
    /// Reads one parameter and leaves in `arg` only what a function may carry.
    pub(crate) fn take(arg: &mut FnArg) -> syn::Result<Self> {
        let arg = match arg {
            FnArg::Typed(arg) => arg,
            FnArg::Receiver(receiver) => {
                return Err(Error::new_spanned(
                    receiver,
                    "a tool is a free function: it has no `self`, because every call runs in a \
                     fresh instance",
                ));
            }
        };
        let ident = match &*arg.pat {
            Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => pat.ident.clone(),
            pat => {
                return Err(Error::new_spanned(
                    pat,
                    "a parameter of a tool needs a plain name, which callers use in the \
                     arguments; take the value apart in the body",
                ));
            }
        };
        check_type(&arg.ty)?;
        let doc = doc::text(&arg.attrs);
        let mut default = None;
        let mut field_attributes = Vec::new();
        let mut kept = Vec::new();
        for attribute in std::mem::take(&mut arg.attrs) {
            let path = attribute.path();
            if path.is_ident("default") {
                default = Some(attribute.parse_args::<Expr>().map_err(|error| {
                    Error::new(error.span(), "expected a value: `#[default(10)]`")
                })?);
            } else if path.is_ident("serde") || path.is_ident("schemars") {
                field_attributes.push(attribute);
            } else if path.is_ident("allow") || path.is_ident("expect") {
                kept.push(attribute);
            } else if !path.is_ident("doc") {
                return Err(Error::new_spanned(
                    attribute,
                    "a parameter of a tool takes a doc comment, `#[default(…)]`, `#[serde(…)]` \
                     and `#[schemars(…)]`",
                ));
            }
        }
        arg.attrs = kept;
        Ok(Self {
            ident,
            ty: (*arg.ty).clone(),
            doc,
            default,
            field_attributes,
        })
    }

    /// The name that callers use.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// True when an attribute may have changed the name or whether it is required.
    pub(crate) fn is_renamed(&self) -> bool {
        !self.field_attributes.is_empty()
    }

    /// True when callers must give it.
    pub(crate) fn is_required(&self) -> bool {
        self.default.is_none() && !is_option(&self.ty)
    }

    /// The field of the arguments, and the function that makes its default when it has one.
    pub(crate) fn expand(&self) -> (TokenStream, TokenStream) {
        let Self {
            ident,
            ty,
            doc,
            field_attributes,
            ..
        } = self;
        let doc = (!doc.is_empty()).then(|| quote!(#[doc = #doc]));
        let Some(default) = &self.default else {
            return (
                quote!(#doc #(#field_attributes)* #ident: #ty),
                TokenStream::new(),
            );
        };
        let function = quote::format_ident!("__default_{}", ident.unraw());
        let path = function.to_string();
        (
            quote!(#doc #[serde(default = #path)] #(#field_attributes)* #ident: #ty),
            quote!(fn #function() -> #ty { #default }),
        )
    }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Option")
}

fn check_type(ty: &Type) -> syn::Result<()> {
    if matches!(ty, Type::ImplTrait(_)) {
        return Err(Error::new_spanned(
            ty,
            "a parameter of a tool needs a concrete type: its JSON Schema is made from it",
        ));
    }
    if has_reference(&quote!(#ty)) {
        return Err(Error::new_spanned(
            ty,
            "a tool owns its arguments: take `String` instead of `&str`, `Vec<T>` instead of \
             `&[T]`",
        ));
    }
    Ok(())
}

fn has_reference(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '&',
        TokenTree::Group(group) => has_reference(&group.stream()),
        _ => false,
    })
}
