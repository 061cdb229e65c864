//! How large the crowds and floods of the suites are: a hundredth of what an attack names, or as
//! much as `COFFERDAM_SCALE` says.

use crate::host::setting;

/// Percent of the full sizes, from 1 to 100; `cargo xtask attack --full` sets it to 100.
const VARIABLE: &str = "COFFERDAM_SCALE";
/// When nobody says otherwise: what a run of all tests has the time for.
const DEFAULT_PERCENT: usize = 1;
const FULL_PERCENT: usize = 100;

/// How many to use where an attack names `full`: that part of it which this run is for, and not
/// fewer than `least`, below which the test would show nothing.
///
/// # Panics
///
/// When the variable is no number from 1 to 100: a run that was to be large must not be small.
pub fn of(full: usize, least: usize) -> usize {
    let text = setting(VARIABLE);
    let percent = text.map_or(DEFAULT_PERCENT, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number
            .filter(|percent| (1..=FULL_PERCENT).contains(percent))
            .unwrap_or_else(|| {
                panic!(
                    "{VARIABLE} is a percentage from 1 to 100, not {}",
                    text.display()
                )
            })
    });
    part(full, percent, least)
}

fn part(full: usize, percent: usize, least: usize) -> usize {
    (full / FULL_PERCENT * percent + full % FULL_PERCENT * percent / FULL_PERCENT)
        .max(least)
        .min(full)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_part_is_neither_too_little_nor_more_than_all() {
        for (full, percent, least, expected) in [
            (10_000, 1, 1, 100),
            (10_000, 1, 250, 250),
            (10_000, 50, 250, 5_000),
            (10_000, 100, 250, 10_000),
            (150, 50, 1, 75),
            (30, 1, 1, 1),
            (30, 1, 40, 30),
            (usize::MAX, 100, 1, usize::MAX),
        ] {
            assert_eq!(part(full, percent, least), expected, "{full} {percent}");
        }
    }
}
