//! Every error code has its page, and every page its code.

use std::collections::BTreeSet;

use super::Source;

/// Where the closed set of codes stands.
const CODES: &str = "host/types/src/failure.rs";
/// Where each code is explained, one page each.
const PAGES: &str = "docs/errors/";

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let source = sources.iter().find(|source| source.path == CODES);
    let codes = source.map(codes).unwrap_or_default();
    if codes.is_empty() {
        return vec![format!("{CODES}: no error code was found to check")];
    }
    let pages: BTreeSet<String> = sources
        .iter()
        .filter_map(|source| source.path.strip_prefix(PAGES)?.strip_suffix(".md"))
        .filter(|page| *page != "README")
        .map(str::to_owned)
        .collect();
    let index = sources
        .iter()
        .find(|source| source.path == format!("{PAGES}README.md"));
    let index = index.map_or("", |index| &index.text);
    let mut faults = Vec::new();
    for code in &codes {
        if !pages.contains(code) {
            faults.push(format!("{PAGES}{code}.md: `{code}` has no page"));
        }
        if !index.contains(&format!("({code}.md)")) {
            faults.push(format!("{PAGES}README.md: `{code}` is missing"));
        }
    }
    for page in pages.difference(&codes) {
        faults.push(format!("{PAGES}{page}.md: there is no code `{page}`"));
    }
    faults
}

/// The words of `enum Code` on the wire.
fn codes(source: &Source) -> BTreeSet<String> {
    let Ok(file) = syn::parse_file(&source.text) else {
        return BTreeSet::new();
    };
    let variants = file.items.into_iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Code" => Some(item.variants),
        _ => None,
    });
    let variants = variants.into_iter().flatten();
    variants
        .map(|variant| snake_case(&variant.ident.to_string()))
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(c.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn codes_and_pages_match_both_ways() {
        let codes = source(CODES, "pub enum Code { Trap, NotFound }");
        let index = source(
            "docs/errors/README.md",
            "[trap](trap.md), [it](not_found.md)",
        );
        let trap = source("docs/errors/trap.md", "");
        let other = source("docs/errors/not_fond.md", "");
        let faults = check(&[codes, index, trap, other]);
        assert_eq!(
            faults,
            [
                "docs/errors/not_found.md: `not_found` has no page",
                "docs/errors/not_fond.md: there is no code `not_fond`",
            ]
        );
    }

    #[test]
    fn no_codes_and_a_short_index_are_faults() {
        assert_eq!(check(&[]).len(), 1);
        let codes = source(CODES, "pub enum Code { Trap }");
        let faults = check(&[codes, source("docs/errors/trap.md", "")]);
        assert_eq!(faults, ["docs/errors/README.md: `trap` is missing"]);
    }
}
