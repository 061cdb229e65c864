//! Tables in the one shape that Markdown has: a row of headers, then rows of as many cells.

use std::rc::Rc;

use htmd::Node;

use super::tree;

/// A cell that says it is wider than this is wrong.
const COLSPAN_MAX: usize = 100;

/// A table of data with its first row as the header; blocks one after the other of a table that
/// only places things.
pub(super) fn shape(table: &Rc<Node>) -> Rc<Node> {
    let (captions, rows) = parts(table);
    let columns = rows.iter().map(|row| cells(row).len()).max().unwrap_or(0);
    let is_presentation = matches!(
        tree::attribute(table, "role").as_deref(),
        Some("presentation" | "none")
    );
    let has_table = tree::below(table).any(|node| tree::tag(&node) == Some("table"));
    if is_presentation || has_table || rows.len() < 2 || columns < 2 {
        return blocks(&captions, &rows);
    }
    let mut rows = rows.iter().enumerate().map(|(at, row)| {
        let made = tree::element("tr");
        tree::adopt(&made, wide(row, if at == 0 { "th" } else { "td" }));
        made
    });
    let head = tree::element("thead");
    tree::adopt(&head, rows.next().into_iter().collect());
    let body = tree::element("tbody");
    tree::adopt(&body, rows.collect());
    let made = tree::element("table");
    let parts = captions.into_iter().chain([head, body]);
    tree::adopt(&made, parts.collect());
    made
}

/// Captions and rows of the table itself.
fn parts(table: &Node) -> (Vec<Rc<Node>>, Vec<Rc<Node>>) {
    let mut captions = Vec::new();
    let mut rows = Vec::new();
    for child in tree::children(table) {
        match tree::tag(&child) {
            Some("caption") => captions.push(child),
            Some("tr") => rows.push(child),
            Some("thead" | "tbody" | "tfoot") => {
                let inner = tree::children(&child).into_iter();
                rows.extend(inner.filter(|row| tree::tag(row) == Some("tr")));
            }
            _ => {}
        }
    }
    rows.retain(|row| !cells(row).is_empty());
    (captions, rows)
}

fn cells(row: &Node) -> Vec<Rc<Node>> {
    let mut cells = tree::children(row);
    cells.retain(|cell| matches!(tree::tag(cell), Some("td" | "th")));
    cells
}

/// The cells of a row under one name, with an empty one for each further column that one spans.
fn wide(row: &Node, tag: &str) -> Vec<Rc<Node>> {
    let mut made = Vec::new();
    for cell in cells(row) {
        let span = tree::attribute(&cell, "colspan")
            .and_then(|span| span.trim().parse().ok())
            .unwrap_or(1_usize);
        made.push(tree::retagged(&cell, tag));
        made.extend((1..span.min(COLSPAN_MAX)).map(|_| tree::element(tag)));
    }
    made
}

fn blocks(captions: &[Rc<Node>], rows: &[Rc<Node>]) -> Rc<Node> {
    let captions = captions
        .iter()
        .map(|caption| tree::retagged(caption, "div"));
    let cells = rows.iter().flat_map(|row| cells(row));
    let cells: Vec<_> = cells.map(|cell| tree::retagged(&cell, "div")).collect();
    let made = tree::element("div");
    tree::adopt(&made, captions.chain(cells).collect());
    made
}
