//! The grammar of names, which the host checks again.

use syn::{Ident, ext::IdentExt};

/// Longest name of a tool, component and function together; the host's own limit.
pub(crate) const TOOL_NAME_BYTES_MAX: usize = 64;

/// True for lower-case words joined by single hyphens that begin with a letter.
pub(crate) fn is_kebab(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// The kebab-case form of any text, for names made from identifiers and for suggestions. Empty when
/// nothing of the text can stand in a name.
pub(crate) fn to_kebab(text: &str) -> String {
    let mut kebab = String::new();
    let mut after_lower = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && after_lower {
            kebab.push('-');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if c.is_ascii_alphanumeric() {
            kebab.push(c.to_ascii_lowercase());
        } else if !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
    }
    let letters = kebab.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    letters.trim_end_matches('-').to_owned()
}

/// The name of a function's tool when its author gives none.
pub(crate) fn of_function(ident: &Ident) -> String {
    to_kebab(&ident.unraw().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for good in ["a", "read", "query-rows", "a1-2b"] {
            assert!(is_kebab(good), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a b", "ä"] {
            assert!(!is_kebab(bad), "{bad}");
        }
    }

    #[test]
    fn kebab_of_anything_fits_the_grammar() {
        for (text, kebab) in [
            ("query_rows", "query-rows"),
            ("__x__y__", "x-y"),
            ("queryRows", "query-rows"),
            ("My_Tool2", "my-tool2"),
            ("1st_tool", "st-tool"),
            ("HTTP", "http"),
            ("größe", "gr-e"),
            ("___", ""),
        ] {
            assert_eq!(to_kebab(text), kebab, "{text}");
            assert!(kebab.is_empty() || is_kebab(kebab), "{text}");
        }
    }
}
