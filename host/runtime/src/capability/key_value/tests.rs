use std::cell::Cell;

use cofferdam_types::Tenant;
use cofferdam_types::key_value::Owner;
use futures::FutureExt;

use super::*;

/// Keys in order, to be listed alone.
struct Keys(Vec<Key>);

impl KeyValues for Keys {
    fn get<'a>(
        &'a self,
        _: &'a Space,
        _: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unavailable>> {
        futures::future::ready(Err(Unavailable)).boxed()
    }

    fn write<'a>(
        &'a self,
        _: &'a Space,
        _: &'a Write,
        _: &'a Quota,
    ) -> BoxFuture<'a, Result<Written, Unavailable>> {
        futures::future::ready(Err(Unavailable)).boxed()
    }

    fn list<'a>(
        &'a self,
        _: &'a Space,
        prefix: &'a str,
        page: &'a PageRequest<Key>,
    ) -> BoxFuture<'a, Result<Page<Key, Key>, Unavailable>> {
        let is_after = |key: &&Key| page.after.as_ref().is_none_or(|after| *key > after);
        let found = self.0.iter().filter(is_after);
        let found = found.filter(|key| key.as_str().starts_with(prefix));
        let found = found.take(page.items_max() + 1).cloned().collect();
        let page = Page::cut(found, page.items_max(), Key::clone);
        futures::future::ready(Ok(page)).boxed()
    }
}

/// All pages of so many keys each that are told of these, and how often the store was asked.
fn pages(keys: &[&str], limit: u32) -> (Vec<Vec<String>>, usize) {
    let keys = keys.iter().map(|key| key.parse().expect("a key"));
    let place = Place {
        values: Arc::new(Keys(keys.collect())),
        space: Space {
            tenant: Tenant::default(),
            owner: Owner::Agent("a".to_owned()),
        },
        quota: Quota::DEFAULT,
    };
    let (mut pages, asked) = (Vec::new(), Cell::new(0));
    let mut after = None;
    loop {
        let request = PageRequest { after, limit };
        let may_list = |key: &Key| !key.as_str().contains("secret");
        let pay = || asked.set(asked.get() + 1);
        let page = listed(&place, "a", request, may_list, pay).now_or_never();
        let page = page.expect("no waiting").expect("a page");
        let last = page.items.last().cloned();
        assert!(page.next.is_none() || page.next == last, "a listed key");
        pages.push(page.items.iter().map(ToString::to_string).collect());
        after = page.next;
        if after.is_none() {
            return (pages, asked.get());
        }
    }
}

#[test]
fn a_page_tells_of_no_key_that_may_not_be_listed() {
    let secret: Vec<String> = (0..3_000).map(|n| format!("a/secret/{n:04}")).collect();
    let mut keys: Vec<&str> = secret.iter().map(String::as_str).collect();
    assert_eq!(pages(&keys, 1), (vec![vec![]], 4), "as if there were none");
    keys.insert(0, "a/b");
    assert_eq!(pages(&keys, 1).0, [["a/b"]], "and none follows");
    keys.extend(["a/x", "a/y", "b"]);
    assert_eq!(pages(&keys, 2).0, [vec!["a/b", "a/x"], vec!["a/y"]]);
    assert_eq!(pages(&["a/b", "a/c", "a/d"], 2).1, 2, "one reading a page");
    assert_eq!(pages(&[], 2), (vec![vec![]], 1));
}
