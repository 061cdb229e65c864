//! What is wrong with a task that somebody wants made.

use cofferdam_types::failure::Fault;

use super::create::NewTask;
use crate::plan::check;

/// Longest title, in characters: one line of a list.
const TITLE_CHARS_MAX: usize = 200;
/// Longest description, in bytes: some twenty pages.
const DESCRIPTION_BYTES_MAX: usize = 64 << 10;
/// Largest priority.
const PRIORITY_MAX: u8 = 100;
/// Most tags.
const TAGS_MAX: usize = 32;
/// Longest tag, in characters.
const TAG_CHARS_MAX: usize = 64;

/// Every broken place, as pointers into the task.
pub(crate) fn faults(new: &NewTask) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |pointer: String, reason: &str| {
        faults.push(Fault {
            pointer,
            reason: reason.to_owned(),
        });
    };
    if !(1..=TITLE_CHARS_MAX).contains(&new.title.trim().chars().count()) {
        fault("/title".to_owned(), "expected 1 to 200 characters");
    }
    if new.description.len() > DESCRIPTION_BYTES_MAX {
        fault("/description".to_owned(), "expected at most 65536 bytes");
    }
    if new.priority.is_some_and(|priority| priority > PRIORITY_MAX) {
        fault("/priority".to_owned(), "expected 0 to 100");
    }
    if new.tags.len() > TAGS_MAX {
        fault("/tags".to_owned(), "expected at most 32 tags");
    }
    for (index, tag) in new.tags.iter().take(TAGS_MAX).enumerate() {
        if !(1..=TAG_CHARS_MAX).contains(&tag.chars().count()) {
            fault(format!("/tags/{index}"), "expected 1 to 64 characters");
        }
    }
    let parameters = new.parameters.as_value();
    if !parameters.is_object() && !parameters.is_null() {
        fault("/parameters".to_owned(), "expected an object");
    }
    faults.extend(check::faults(&new.plan).into_iter().map(|fault| Fault {
        pointer: format!("/plan{}", fault.pointer),
        ..fault
    }));
    faults
}
