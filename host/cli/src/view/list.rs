use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::clean;
use crate::output::Style;

/// Rows below their headings.
pub(crate) fn table<const N: usize>(
    style: Style,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.set_header(headings);
    let lines = lines(table, rows);
    let mut lines = lines.into_iter();
    let head = style.bold(lines.next().unwrap_or_default());
    lines.fold(head, |text, line| text + "\n" + &line)
}

/// Rows in columns, a line each.
pub(super) fn columns<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Vec<String> {
    lines(Table::new(), rows)
}

fn lines<const N: usize>(
    mut table: Table,
    rows: impl IntoIterator<Item = [String; N]>,
) -> Vec<String> {
    table.load_style(NOTHING);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| clean(&cell))));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
