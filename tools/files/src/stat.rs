//! What is known about one path.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use cofferdam_sdk::{ToolError, data, tool};

use crate::walk::Kind;
use crate::workspace::Workspace;

const DAY_SECONDS: u64 = 86_400;

/// Facts about one file or directory.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Facts {
    /// Path relative to the workspace, cleaned; `.` for the workspace itself.
    pub(crate) path: String,
    /// What it is. A symbolic link is not followed.
    pub(crate) kind: Kind,
    /// Size of a file in bytes; 0 for anything else.
    pub(crate) bytes: u64,
    /// When it was last changed, RFC 3339 in UTC, if the file system says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
}

/// Says what lies at a path of the workspace: its kind, size and time of last change.
///
/// Use it to learn whether something exists and how large it is before reading it. Errors:
/// `file_not_found` when nothing is there, `invalid_path`, `permission_denied`.
#[tool(
    read_only,
    idempotent,
    tags("file"),
    capabilities(workspace(read_only)),
    example(
        title = "How large is the guide",
        arguments = r#"{"path": "docs/guide.md"}"#
    )
)]
pub(crate) fn stat(
    /// Path relative to the workspace.
    path: String,
) -> Result<Facts, ToolError> {
    let place = Workspace::open()?.place(&path)?;
    let meta = fs::symlink_metadata(&place.full).map_err(|error| place.refused(&error))?;
    Ok(Facts {
        path: place.shown().to_owned(),
        kind: meta.file_type().into(),
        bytes: if meta.is_file() { meta.len() } else { 0 },
        modified: meta.modified().ok().and_then(rfc3339),
    })
}

/// The moment in UTC to the second, or nothing before 1970.
fn rfc3339(moment: SystemTime) -> Option<String> {
    let seconds = moment.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (year, month, day) = date(seconds / DAY_SECONDS);
    let second = seconds % DAY_SECONDS;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// The Gregorian date `days` after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year; 400 of them always
/// have 146,097 days, and the lengths of five months from March on repeat every 153 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_written_in_utc() {
        // From `date -u -d @N +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let moment = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(moment).as_deref(), Some(expected), "{seconds}");
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = date(0);
        for days in 1..200_000 {
            let now = date(days);
            let next_day = (before.0, before.1, before.2 + 1);
            let next_month = (before.0, before.1 + 1, 1);
            let next_year = (before.0 + 1, 1, 1);
            assert!(
                [next_day, next_month, next_year].contains(&now),
                "{before:?} then {now:?}"
            );
            before = now;
        }
        assert_eq!(before.0, 2517);
    }
}
