//! Long text in pages. The same text has the same pages, so a caller can ask for the next one.

use cofferdam_sdk::ToolError;

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub(crate) text: &'a str,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) pages: u64,
    /// Of all pages.
    pub(crate) total_chars: u64,
}

impl Page<'_> {
    /// What is not text has one page.
    pub(crate) const WHOLE: Page<'static> = Page {
        text: "",
        number: 1,
        pages: 1,
        total_chars: 0,
    };

    /// The number of the page after this one.
    pub(crate) fn next(&self) -> Option<u64> {
        (self.number < self.pages).then_some(self.number + 1)
    }
}

/// Page `number` of `text`, with `size` characters at most.
///
/// **Errors**: `no_such_page`.
pub(crate) fn page(text: &str, number: u64, size: u64) -> Result<Page<'_>, ToolError> {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    let mut found = None;
    let mut pages = 0;
    let mut rest = text;
    while pages == 0 || !rest.is_empty() {
        let (one, others) = rest.split_at(end(rest, size));
        pages += 1;
        if pages == number {
            found = Some(one);
        }
        rest = others;
    }
    match found {
        Some(one) => Ok(Page {
            text: one,
            number,
            pages,
            total_chars: text.chars().count() as u64,
        }),
        None => Err(ToolError::new(
            "no_such_page",
            format!("there is no page {number}; the last one is {pages}"),
        )),
    }
}

/// Where the first page of `text` ends: after `size` characters, or after a line's end in the last
/// quarter of them.
fn end(text: &str, size: usize) -> usize {
    let Some((full, _)) = text.char_indices().nth(size) else {
        return text.len();
    };
    let quarter = text[..full]
        .char_indices()
        .nth(size - size / 4)
        .map_or(full, |(at, _)| at);
    match text[quarter..full].rfind('\n') {
        Some(at) => quarter + at + 1,
        None => full,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_end_at_lines() {
        for (text, number, size, expected) in [
            ("", 1, 10, ("", 1)),
            ("abc", 1, 3, ("abc", 1)),
            ("abcd", 1, 3, ("abc", 2)),
            ("abcd", 2, 3, ("d", 2)),
            ("äöüß", 2, 3, ("ß", 2)),
            ("abcdef\ngh\nij", 1, 8, ("abcdef\n", 2)),
            ("a\nbcdefghij", 1, 8, ("a\nbcdefg", 2)),
        ] {
            let page = page(text, number, size).expect(text);
            assert_eq!((page.text, page.pages), expected, "{text:?} {number}");
        }
        assert_eq!(
            page("abc", 2, 3).expect_err("one page").code,
            "no_such_page"
        );
        assert_eq!(page("abc", 0, 3).expect_err("from 1").code, "no_such_page");
    }

    proptest! {
        #[test]
        fn pages_together_are_the_text(text in "(?s).{0,200}|[a-c\n]{0,200}", size in 1_u64..50) {
            let first = page(&text, 1, size).expect("a first page");
            let mut all = first.text.to_owned();
            let mut next = first.next();
            while let Some(number) = next {
                let page = page(&text, number, size).expect("the next page");
                prop_assert!(page.text.chars().count() as u64 <= size);
                prop_assert!(!page.text.is_empty());
                prop_assert_eq!(page.pages, first.pages);
                all.push_str(page.text);
                next = page.next();
            }
            prop_assert_eq!(first.total_chars, text.chars().count() as u64);
            prop_assert_eq!(all, text);
        }
    }
}
