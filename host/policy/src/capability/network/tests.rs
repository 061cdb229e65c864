//! What entries cover, and what of a request is refused before any of them is asked.

mod addresses;
mod entries;
mod model;
mod planted;
mod targets;

use super::*;
use crate::origin::Located;
use crate::slice::{Layer, Party, Slice};

fn allow(yaml: &str) -> Network {
    let entry = serde_saphyr::from_str(yaml).expect("an entry");
    Network::allow(entry).expect("an allow")
}

fn deny(yaml: &str) -> Network {
    let entry = serde_saphyr::from_str(yaml).expect("an entry");
    Network::deny(entry).expect("a deny")
}

fn ask(method: &str, url: &str) -> Ask {
    Ask {
        target: Target::parse(url).expect("a target"),
        method: method.to_owned(),
        headers: Vec::new(),
        address: None,
    }
}
