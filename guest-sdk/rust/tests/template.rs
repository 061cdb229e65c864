//! The project that `cofferdam tool new` writes is right, and the guide shows the same code.

#[path = "../../template/src/lib.rs"]
mod template;

#[test]
fn the_template_has_one_tool() {
    let manifest = template::TOOLS.describe();
    assert!(manifest.contains(r#""function":"greet""#), "{manifest}");
}

#[test]
fn the_guide_shows_the_template() {
    let source = include_str!("../../template/src/lib.rs");
    let guide = include_str!("../../../docs/guide/write-a-tool.md");
    let (shown, _) = source
        .split_once("\n#[cfg(test)]")
        .expect("the template has tests");
    assert!(
        guide.contains(shown.trim_end()),
        "guide and template differ"
    );
}
