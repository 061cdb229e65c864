use serde_json::Value;

/// The text without what could steer a terminal: control characters other than line breaks and
/// tabs, and the marks that reverse the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| {
            if steers(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The first sentence of a description, in one line of at most `chars_max` characters.
pub(crate) fn first_sentence(text: &str, chars_max: usize) -> String {
    let text = clean(text);
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = |end: &usize| line[end + 2..].starts_with(char::is_uppercase);
    let sentence = match line.match_indices(". ").map(|(at, _)| at).find(ends) {
        Some(end) => &line[..end],
        None => line.trim_end_matches('.'),
    };
    if sentence.chars().count() <= chars_max {
        return sentence.to_owned();
    }
    let kept: String = sentence.chars().take(chars_max - 1).collect();
    format!("{}…", kept.trim_end())
}

/// JSON over several lines.
pub(crate) fn pretty(value: &Value) -> String {
    clean(&format!("{value:#}"))
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the unit that suits it.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", tenths(bytes, 1_024)),
        _ => format!("{} MiB", tenths(bytes, 1_048_576)),
    }
}

/// A time in microseconds in the unit that suits it.
pub(crate) fn took(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", tenths(micros, 1_000)),
        _ => format!("{} s", tenths(micros, 1_000_000)),
    }
}

/// `amount ÷ unit` with one decimal, cut.
fn tenths(amount: u64, unit: u64) -> String {
    let (whole, rest) = (amount / unit, amount % unit);
    format!("{whole}.{}", rest * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (81_234, "81,234"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), text);
        }
        for (size, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_114_112, "1.0 MiB"),
            (u64::MAX, "17592186044415.9 MiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
        for (time, text) in [(216, "216 µs"), (3_190, "3.1 ms"), (1_250_000, "1.2 s")] {
            assert_eq!(took(time), text);
        }
    }

    #[test]
    fn a_description_is_cut_to_a_line() {
        for (text, line) in [
            ("Greets somebody.", "Greets somebody"),
            ("Reads v1.2 files. Then more.", "Reads v1.2 files"),
            ("Globs, e.g. `*`.", "Globs, e.g. `*`"),
            ("Over two\nlines\n\nand more", "Over two lines"),
            ("", ""),
            ("Ein sehr langer Satz öhne Ende", "Ein sehr langer Sat…"),
        ] {
            assert_eq!(first_sentence(text, 20), line);
        }
    }

    #[test]
    fn text_of_others_does_not_steer_the_terminal() {
        assert_eq!(
            clean("a\x1b[2J\x07b\u{9b}c\r\n\td"),
            "a\u{fffd}[2J\u{fffd}b\u{fffd}c\u{fffd}\n\td"
        );
        assert_eq!(clean("exe.\u{202e}fdp"), "exe.\u{fffd}fdp");
        assert_eq!(clean("häß 漢字 🦀"), "häß 漢字 🦀");
        assert!(!pretty(&serde_json::json!({"k\x1b": "v\u{9b}"})).contains(['\x1b', '\u{9b}']));
    }
}
