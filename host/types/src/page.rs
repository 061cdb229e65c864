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

    /// How many items the page may hold: `limit`, brought into its range.
    pub fn items_max(&self) -> usize {
        self.limit.clamp(1, PAGE_ITEMS_MAX) as usize
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

impl<T, K> Page<T, K> {
    /// The first `items_max` of `items`. The reader fetched one more than that, if there is one:
    /// so it is known whether another page follows.
    pub fn cut(mut items: Vec<T>, items_max: usize, key: impl Fn(&T) -> K) -> Self {
        let more = items.len() > items_max;
        items.truncate(items_max);
        let next = items.last().filter(|_| more).map(key);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_next_key_only_when_there_is_more() {
        for (fetched, items, next) in [
            (vec![], vec![], None),
            (vec![1, 2], vec![1, 2], None),
            (vec![1, 2, 3], vec![1, 2], Some(2)),
        ] {
            assert_eq!(Page::cut(fetched, 2, |item| *item), Page { items, next });
        }
    }

    #[test]
    fn a_limit_out_of_range_is_brought_into_it() {
        for (limit, items_max) in [(0, 1), (1, 1), (1_000, 1_000), (u32::MAX, 1_000)] {
            let page = PageRequest::<u64> { after: None, limit };
            assert_eq!(page.items_max(), items_max);
        }
    }
}
