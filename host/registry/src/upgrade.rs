//! Whether a version may follow the ones that are there: who calls by a range is promised that what
//! semver calls compatible is.

use cofferdam_schema::compatibility::{Version as Schemas, compatibility};
use cofferdam_store_api::ToolRecord;
use cofferdam_types::Version;
use cofferdam_types::failure::Fault;
use cofferdam_types::tool::ToolSpec;

use crate::catalogue::Catalogue;

/// Every place where a new version breaks callers of the one before it, whose number says that it
/// doesn't: one fault for each, which points into the new version's schema.
pub(crate) fn breaks(listed: &Catalogue, records: &[ToolRecord]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for record in records {
        let new = &record.spec;
        let Some(old) = before(listed, new) else {
            continue;
        };
        for found in compatibility(schemas(&old.spec), schemas(new)) {
            faults.push(Fault {
                pointer: format!("/{}{}", new.name, found.new),
                reason: format!("{found} (against {})", old.spec.version),
            });
        }
    }
    faults
}

fn schemas(spec: &ToolSpec) -> Schemas<'_> {
    Schemas {
        arguments: &spec.args_schema,
        result: &spec.returns_schema,
    }
}

/// The highest version below this one whose callers by `^` would get it.
fn before<'a>(listed: &'a Catalogue, new: &ToolSpec) -> Option<&'a ToolRecord> {
    let older = listed.versions(&new.name).map(|entry| entry.record());
    older
        .filter(|old| old.spec.version < new.version)
        .filter(|old| is_promised(&old.spec.version, &new.version))
        .max_by(|one, other| one.spec.version.cmp(&other.spec.version))
}

/// Whether who has `old` may expect `new` to work as well: no pre-release, and the same in its first
/// number that is not zero.
fn is_promised(old: &Version, new: &Version) -> bool {
    let leading = |version: &Version| match (version.major, version.minor, version.patch) {
        (0, 0, patch) => (0, 0, patch),
        (0, minor, _) => (0, minor, 0),
        (major, _, _) => (major, 0, 0),
    };
    old.pre.is_empty() && new.pre.is_empty() && leading(old) == leading(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_promises_what_a_range_takes() {
        for (old, new, promised) in [
            ("1.0.0", "1.0.1", true),
            ("1.0.0", "1.9.0", true),
            ("1.0.0", "2.0.0", false),
            ("0.3.1", "0.3.2", true),
            ("0.3.1", "0.4.0", false),
            ("0.0.1", "0.0.2", false),
            ("1.0.0", "1.1.0-rc.1", false),
            ("1.1.0-rc.1", "1.1.0", false),
        ] {
            let [a, b] = [old, new].map(|text| text.parse::<Version>().expect("a version"));
            assert_eq!(is_promised(&a, &b), promised, "{old} {new}");
            let range: cofferdam_types::VersionReq = format!("^{old}").parse().expect("a range");
            let both_released = a.pre.is_empty() && b.pre.is_empty();
            assert_eq!(both_released && range.matches(&b), promised, "{old} {new}");
        }
    }
}
