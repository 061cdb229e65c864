//! Lists come in pages.

/// Most items of one page: bounds the answer of every list, whatever the caller asks.
pub const PAGE_ITEMS_MAX: u32 = 1_000;

/// Which part of a list: after this key, at most so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// The last key of the page before; absent for the first page.
    pub after: Option<K>,
    /// At most this many, 1 to [`PAGE_ITEMS_MAX`].
    pub limit: u32,
}

impl<K> PageRequest<K> {
    /// The first page, as long as a page can be.
    pub fn first() -> Self {
        Self {
            after: None,
            limit: PAGE_ITEMS_MAX,
        }
    }
}

/// Part of a list, and the key to ask for the next part with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The last key, when there is more.
    pub next: Option<K>,
}
