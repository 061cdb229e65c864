//! Lists come in pages.

use serde::{Deserialize, Serialize};

/// Items of a page when the request doesn't say: a screenful for a person, one read for a store.
pub const PAGE_ITEMS_DEFAULT: u32 = 100;

/// Part of a list.
///
/// **Shape**: `{"items": […], "next": "…"}`; `next` is `null` on the last page, and otherwise what
/// to pass as `after` for the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageView<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl<T> PageView<T> {
    /// A page of domain things as a page of views.
    pub fn of<D, K: ToString>(
        page: cofferdam_types::page::Page<D, K>,
        view: impl FnMut(D) -> T,
    ) -> Self {
        Self {
            items: page.items.into_iter().map(view).collect(),
            next: page.next.map(|key| key.to_string()),
        }
    }
}
