//! Wrong use is refused while compiling, with a message that says what to do.

#[test]
fn wrong_use_is_refused_with_a_readable_message() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
