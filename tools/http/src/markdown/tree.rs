//! The page's tree: reading a node, making one.

use std::cell::RefCell;
use std::rc::Rc;

use htmd::Node;
use html5ever::{LocalName, QualName, ns};
use markup5ever_rcdom::NodeData;

/// The name of an element of HTML; nothing for text and for what another language's element holds.
pub(super) fn tag(node: &Node) -> Option<&str> {
    match &node.data {
        NodeData::Element { name, .. } if name.ns == ns!(html) => Some(&name.local),
        _ => None,
    }
}

pub(super) fn attribute(node: &Node, wanted: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else {
        return None;
    };
    let attrs = attrs.borrow();
    let found = attrs.iter().find(|attr| &*attr.name.local == wanted)?;
    Some(found.value.to_string())
}

/// Changes an attribute, or takes it away.
pub(super) fn set_attribute(node: &Node, wanted: &str, value: Option<&str>) {
    let NodeData::Element { attrs, .. } = &node.data else {
        return;
    };
    let mut attrs = attrs.borrow_mut();
    match value {
        None => attrs.retain(|attr| &*attr.name.local != wanted),
        Some(value) => {
            for attr in attrs.iter_mut().filter(|attr| &*attr.name.local == wanted) {
                attr.value = value.into();
            }
        }
    }
}

pub(super) fn element(tag: &str) -> Rc<Node> {
    Node::new(NodeData::Element {
        name: QualName::new(None, ns!(html), LocalName::from(tag)),
        attrs: RefCell::default(),
        template_contents: RefCell::default(),
        mathml_annotation_xml_integration_point: false,
    })
}

pub(super) fn text(contents: &str) -> Rc<Node> {
    Node::new(NodeData::Text {
        contents: RefCell::new(contents.into()),
    })
}

pub(super) fn children(node: &Node) -> Vec<Rc<Node>> {
    node.children.borrow().clone()
}

/// Makes `children` the children of `parent`.
pub(super) fn adopt(parent: &Rc<Node>, children: Vec<Rc<Node>>) {
    for child in &children {
        child.parent.set(Some(Rc::downgrade(parent)));
    }
    parent.children.replace(children);
}

/// An element of this name with the children of `node`, which loses them.
pub(super) fn retagged(node: &Node, tag: &str) -> Rc<Node> {
    let made = element(tag);
    adopt(&made, node.children.take());
    made
}

/// Every node below `node`, in no useful order.
pub(super) fn below(node: &Node) -> impl Iterator<Item = Rc<Node>> {
    let mut open = children(node);
    std::iter::from_fn(move || {
        let next = open.pop()?;
        open.extend(next.children.borrow().iter().cloned());
        Some(next)
    })
}

/// All text below `node`, in order.
pub(super) fn text_of(node: &Node) -> String {
    let mut all = String::new();
    let mut open = children(node);
    open.reverse();
    while let Some(next) = open.pop() {
        if let NodeData::Text { contents } = &next.data {
            all.push_str(&contents.borrow());
        }
        open.extend(next.children.borrow().iter().rev().cloned());
    }
    all
}
