//! Leaves of a page what its reader sees.

use std::rc::Rc;

use htmd::Node;
use markup5ever_rcdom::NodeData;
use url::Url;

use super::{table, tree};

/// Elements that are not content, or none that text can show.
const UNREAD: [&str; 24] = [
    "applet", "area", "audio", "base", "canvas", "datalist", "embed", "frame", "frameset", "head",
    "iframe", "input", "link", "map", "meta", "noembed", "noframes", "noscript", "object",
    "script", "select", "style", "template", "textarea",
];

/// How deep elements may nest. Pages stay below 60; what is deeper keeps its text alone.
const DEPTH_MAX: usize = 96;

/// The text of the page's `<title>`.
pub(super) fn title(document: &Node) -> Option<String> {
    let title = tree::below(document).find(|node| tree::tag(node) == Some("title"))?;
    let text = tree::text_of(&title);
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Makes the page ready for the converter. `url` is where it came from.
pub(super) fn clean(document: &Rc<Node>, url: Option<Url>) {
    let base = base(document, url);
    let mut open = vec![(document.clone(), 0)];
    while let Some((node, depth)) = open.pop() {
        let mut kept = Vec::new();
        for child in node.children.take() {
            if is_unread(&child) {
                continue;
            }
            let child = match tree::tag(&child) {
                Some("table") => table::shape(&child),
                Some("a" | "img") => {
                    if !resolve(&child, base.as_ref()) {
                        continue;
                    }
                    child
                }
                _ => child,
            };
            if depth == DEPTH_MAX {
                flatten(&child);
            }
            open.push((child.clone(), depth + 1));
            kept.push(child);
        }
        tree::adopt(&node, kept);
    }
}

fn base(document: &Node, url: Option<Url>) -> Option<Url> {
    let given = tree::below(document)
        .find(|node| tree::tag(node) == Some("base"))
        .and_then(|node| tree::attribute(&node, "href"));
    match (url, given) {
        (Some(url), Some(given)) => Some(url.join(&given).unwrap_or(url)),
        (url, _) => url,
    }
}

fn is_unread(node: &Node) -> bool {
    match &node.data {
        NodeData::Document | NodeData::Text { .. } => false,
        NodeData::Doctype { .. }
        | NodeData::Comment { .. }
        | NodeData::ProcessingInstruction { .. } => true,
        NodeData::Element { name, .. } => {
            UNREAD.contains(&&*name.local) || &*name.local == "svg" || is_hidden(node)
        }
    }
}

/// True for what the page itself hides, which is a place to speak to a model behind its reader's
/// back. Style sheets are not read.
fn is_hidden(node: &Node) -> bool {
    if tree::attribute(node, "hidden").is_some() {
        return true;
    }
    let Some(style) = tree::attribute(node, "style") else {
        return false;
    };
    let style: String = style.split_whitespace().collect();
    let style = style.to_ascii_lowercase();
    ["display:none", "visibility:hidden"]
        .iter()
        .any(|hidden| style.contains(hidden))
}

/// Makes the address of a link or a picture absolute. False when nothing is left of it: a picture
/// whose bytes are the address.
fn resolve(node: &Node, base: Option<&Url>) -> bool {
    let is_image = tree::tag(node) == Some("img");
    let name = if is_image { "src" } else { "href" };
    let Some(given) = tree::attribute(node, name) else {
        return !is_image;
    };
    let is_of_page = given.trim_start().starts_with('#');
    let parsed = match base {
        Some(base) => base.join(&given).ok(),
        None => Url::parse(&given).ok(),
    };
    let absolute = parsed.filter(|url| {
        !is_of_page && matches!(url.scheme(), "https" | "http" | "mailto" | "tel" | "ftp")
    });
    tree::set_attribute(node, name, absolute.as_ref().map(Url::as_str));
    absolute.is_some() || !is_image
}

/// Leaves of an element its text.
fn flatten(node: &Rc<Node>) {
    if node.children.borrow().is_empty() {
        return;
    }
    for child in tree::below(node) {
        if is_unread(&child) {
            child.children.take();
        }
    }
    let text = tree::text(&tree::text_of(node));
    tree::adopt(node, vec![text]);
}
