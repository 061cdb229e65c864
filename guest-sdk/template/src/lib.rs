use cofferdam_sdk::{ToolError, tool, tools};

/// Greets somebody by name.
#[tool(
    read_only,
    idempotent,
    tags("demo", "text"),
    example(
        title = "A greeting",
        arguments = r#"{"name": "Ada"}"#,
        result = r#""Hello, Ada!""#
    )
)]
fn greet(
    /// Who to greet.
    name: String,
    /// How to end the greeting; `!` when absent.
    ending: Option<String>,
) -> Result<String, ToolError> {
    if name.trim().is_empty() {
        return Err(ToolError::new("name_empty", "say whom to greet"));
    }
    let ending = ending.as_deref().unwrap_or("!");
    Ok(format!("Hello, {name}{ending}"))
}

tools![greet];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets_by_name() {
        assert_eq!(greet("Ada".into(), None), Ok("Hello, Ada!".into()));
        assert_eq!(
            greet("Ada".into(), Some(".".into())),
            Ok("Hello, Ada.".into())
        );
    }

    #[test]
    fn refuses_an_empty_name() {
        assert_eq!(greet(" ".into(), None).unwrap_err().code, "name_empty");
    }
}
