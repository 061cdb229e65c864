/// Greets somebody by name.
#[cofferdam_sdk::tool(example(arguments = "{'name': 'Ada'}"))]
fn not_json(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool(example(arguments = r#"["Ada"]"#))]
fn no_object(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool(example(arguments = r#"{"name": "Ada", "nane": "Ada"}"#))]
fn no_such_parameter(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool(example(title = "Nobody", arguments = "{}"))]
fn lacks_a_parameter(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool(example(title = "Nobody"))]
fn lacks_arguments(name: String) -> String {
    name
}

fn main() {}
