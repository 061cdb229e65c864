//! Doc comments, which become descriptions.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comments among `attributes`, without the space that follows `///` and
/// without blank lines around it. Empty when there is none.
pub(crate) fn text(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let shared_space = lines
        .iter()
        .all(|line| line.is_empty() || line.starts_with(' '));
    let lines: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.lines().chain(line.is_empty().then_some("")))
        .map(|line| match line.strip_prefix(' ') {
            Some(rest) if shared_space => rest.trim_end(),
            _ => line.trim_end(),
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

fn line(attribute: &Attribute) -> Option<String> {
    if !attribute.path().is_ident("doc") {
        return None;
    }
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn text_keeps_paragraphs_and_indentation() {
        for (attributes, want) in [
            (vec![], ""),
            (vec![parse_quote!(#[inline])], ""),
            (vec![parse_quote!(#[doc = " One."])], "One."),
            (vec![parse_quote!(#[doc = "One."])], "One."),
            (vec![parse_quote!(#[doc(hidden)])], ""),
            (vec![parse_quote!(#[doc = "   "])], ""),
            (
                vec![
                    parse_quote!(#[doc = " One."]),
                    parse_quote!(#[doc = ""]),
                    parse_quote!(#[doc = "     code"]),
                ],
                "One.\n\n    code",
            ),
        ] {
            assert_eq!(text(&attributes), want);
        }
    }
}
