use cofferdam_server::types::call::{CallLog, Denial};
use cofferdam_server::types::failure::Fault;
use cofferdam_server::types::{Code, Failure};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{call, changes, clean};
use crate::output::Style;

/// The word of a tool that has none.
const UNNAMED: &str = "error";

/// An error: what is wrong, where, and what would help.
pub(crate) fn failure(failure: &Failure, style: Style) -> String {
    let (word, message) = (style.red("error:"), clean(&failure.message));
    // The tool's own word says more than that it is a tool's error.
    let own = failure.details.get("tool_code").and_then(Value::as_str);
    let own = own.filter(|own| *own != UNNAMED);
    let own = own.map(|own| format!(": {}", clean(own)));
    let own = own.unwrap_or_default();
    let mut lines = vec![format!("{word} {message} ({}{own})", failure.code)];
    let mut line = |part: String| lines.push(format!("  {part}"));
    let faults: Vec<Fault> = details(failure, "faults");
    // A single fault stands in the message already.
    if faults.len() > 1
        || faults
            .iter()
            .any(|fault| !failure.message.contains(&fault.reason))
    {
        for fault in &faults {
            let place = if fault.pointer.is_empty() {
                "as a whole"
            } else {
                &fault.pointer
            };
            line(clean(&format!("{place}: {}", fault.reason)));
        }
    }
    for denial in details::<Denial>(failure, "denials") {
        let said = failure.message.contains(&denial.reason);
        line(refusal(&denial, said));
        for part in grant(&denial) {
            line(part);
        }
    }
    if failure.code == Code::Trap
        && let Some(log) = failure.details.get("log")
        && let Ok(log) = serde_json::from_value::<CallLog>(log.clone())
    {
        for printed in call::tails(&log) {
            line(printed);
        }
    }
    if let Some(list) = failure.details.get("changes")
        && let Ok(list) = serde_json::from_value(list.clone())
    {
        for changed in changes::changes(&list) {
            line(changed);
        }
    }
    line(style.dim(format!("see docs/errors/{}.md", failure.code)));
    lines.join("\n")
}

/// What would allow it, where that is known.
pub(super) fn grant(denial: &Denial) -> Vec<String> {
    let grant = clean(denial.smallest_grant.trim_end());
    let begin = |(at, line)| {
        let begin = if at == 0 { "  allowed by: " } else { "    " };
        format!("{begin}{line}")
    };
    grant.lines().enumerate().map(begin).collect()
}

/// What was refused, and why unless it has been said.
pub(crate) fn refusal(denial: &Denial, is_said: bool) -> String {
    let Denial {
        capability,
        operation,
        resource,
        code,
        rule,
        file,
        line,
        reason,
        smallest_grant: _,
    } = denial;
    if rule.is_empty() {
        // Whoever may not read policy is told no more.
        let code = serde_json::to_value(code).unwrap_or_default();
        let code = code.as_str().unwrap_or_default();
        return clean(&format!("denied: {capability}, {operation} ({code})"));
    }
    let place = match (file, line) {
        (Some(file), Some(line)) => format!(" at {file}:{line}"),
        _ => String::new(),
    };
    let reason = if is_said {
        String::new()
    } else {
        format!(": {reason}")
    };
    clean(&format!(
        "denied: {capability}, {operation} {resource}{reason} (rule {rule}{place})"
    ))
}

/// The entries of a list among the details, or none where it is not such a list.
fn details<T: DeserializeOwned>(failure: &Failure, key: &str) -> Vec<T> {
    let list = failure.details.get(key).cloned().unwrap_or_default();
    serde_json::from_value(list).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_fault_is_said_once_and_several_one_by_one() {
        let one = Failure::invalid_at("/arguments/path", "expected a string");
        assert_eq!(
            super::failure(&one, Style::PLAIN),
            "error: /arguments/path: expected a string (invalid_input)\n  \
             see docs/errors/invalid_input.md"
        );
        let faults = ["/a", "/b"].map(|pointer| Fault {
            pointer: pointer.to_owned(),
            reason: "is \x1bmissing".to_owned(),
        });
        let two = Failure::invalid_input("the arguments break their schema", &faults);
        assert_eq!(
            super::failure(&two, Style::PLAIN),
            "error: the arguments break their schema (invalid_input)\n  /a: is \u{fffd}missing\n  \
             /b: is \u{fffd}missing\n  see docs/errors/invalid_input.md"
        );
    }

    #[test]
    fn a_denial_says_what_would_allow_it() {
        let denial = json!([{
            "capability": "workspace", "operation": "write", "resource": "demo",
            "code": "not_offered", "rule": "built-in/workspace", "reason": "the tool changes files",
            "smallest_grant": "a workspace offered as `read_write`",
        }]);
        let denied = Failure::new(Code::PolicyDenied, "the tool may not").with("denials", denial);
        assert_eq!(
            super::failure(&denied, Style::PLAIN),
            "error: the tool may not (policy_denied)\n  denied: workspace, write demo: the tool \
             changes files (rule built-in/workspace)\n    allowed by: a workspace offered as \
             `read_write`\n  see docs/errors/policy_denied.md"
        );
    }

    #[test]
    fn a_tools_own_word_is_said() {
        let own = Failure::new(Code::ToolError, "not there").with("tool_code", "request_denied");
        assert_eq!(
            super::failure(&own, Style::PLAIN),
            "error: not there (tool_error: request_denied)\n  see docs/errors/tool_error.md"
        );
    }

    #[test]
    fn a_coarse_denial_is_a_line() {
        let denial = json!([{"capability": "network", "operation": "GET", "resource": "",
            "code": "not_granted", "rule": "", "reason": "", "smallest_grant": ""}]);
        let denied = Failure::new(Code::PolicyDenied, "no").with("denials", denial);
        assert_eq!(
            super::failure(&denied, Style::PLAIN),
            "error: no (policy_denied)\n  denied: network, GET (not_granted)\n  see \
             docs/errors/policy_denied.md"
        );
    }

    #[test]
    fn a_crash_shows_what_the_tool_said_last() {
        let log = json!({"stdout_tail": "", "stderr_tail": "panicked at x\n", "dropped_bytes": 0});
        let trap = Failure::new(Code::Trap, "the tool crashed").with("log", log);
        assert_eq!(
            super::failure(&trap, Style::PLAIN),
            "error: the tool crashed (trap)\n  stderr: panicked at x\n  see docs/errors/trap.md"
        );
    }

    #[test]
    fn details_of_another_shape_are_passed_over() {
        let odd = Failure::new(Code::Internal, "odd")
            .with("faults", 7)
            .with("denials", "x");
        assert_eq!(
            super::failure(&odd, Style::PLAIN),
            "error: odd (internal)\n  see docs/errors/internal.md"
        );
    }
}
