//! Rows out of any data.

use cofferdam_sdk::{ToolError, data, tool};

use crate::budget::{Budget, RESULT_BYTES};
use crate::json::Json;
use crate::pipeline::{self, Missing};
use crate::source::Source;
use crate::step::Step;

/// What a query found.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Found {
    /// The rows.
    pub(crate) rows: Vec<Json>,
    /// How many rows there are in all.
    pub(crate) row_count: u64,
    /// True when not all rows are here because the result would be too large.
    pub(crate) truncated: bool,
}

/// Queries JSON, JSON Lines, YAML, TOML or CSV: gives the rows that remain after a list of steps.
///
/// Use it instead of reading a data file: it filters, groups, counts, sorts and joins, and gives
/// back only what was asked for. The steps run one after the other. Start with `get` to go down to
/// the list that matters; a list's elements are the rows. The steps are get, explode, filter,
/// select, derive, group, sort, distinct, limit, join and count. Fields are named by member
/// (`name`), dotted path (`target.kind.0`), JSON pointer (`/a~1b/c`), or `.` for the row itself.
/// The same input always gives the same output.
///
/// Errors name the place in the arguments: `invalid_source`, `parse_failed` (with line and column),
/// `unknown_field` (no row has it), `invalid_step`, `invalid_value` (a step meets a value that it
/// cannot work with), `too_large`, and for files `file_not_found`, `invalid_path`, `no_workspace`.
#[tool(
    read_only,
    idempotent,
    tags("data", "json", "yaml", "toml", "csv"),
    capabilities(workspace(read_only, optional)),
    example(
        title = "Crates that appear in more than one version in `cargo metadata`",
        arguments = r#"{
            "source": {"path": "metadata.json"},
            "steps": [
                {"op": "get", "pointer": "/packages"},
                {"op": "group", "by": ["name"], "aggregates": [
                    {"fn": "count_distinct", "field": "version", "as": "versions"},
                    {"fn": "collect_distinct", "field": "version", "as": "which"}]},
                {"op": "filter", "where": {"field": "versions", "op": "gt", "value": 1}},
                {"op": "sort", "by": [{"field": "versions", "desc": true}, "name"]}]}"#,
        result = r#"{"rows": [{"name": "syn", "versions": 2, "which": ["1.0.9", "2.0.1"]}],
                     "row_count": 1, "truncated": false}"#
    ),
    example(
        title = "Lines of code by directory, from rows of another call",
        arguments = r#"{
            "source": {"rows": [{"path": "host/a/lib.rs", "lines": 10},
                                {"path": "host/a/b.rs", "lines": 5},
                                {"path": "xtask/main.rs", "lines": 7}]},
            "steps": [
                {"op": "derive", "as": "module",
                 "value": {"fn": "extract", "from": "path", "pattern": "^(.*)/"}},
                {"op": "group", "by": ["module"],
                 "aggregates": [{"fn": "sum", "field": "lines", "as": "lines"}]},
                {"op": "sort", "by": [{"field": "lines", "desc": true}]}]}"#,
        result = r#"{"rows": [{"module": "host/a", "lines": 15}, {"module": "xtask", "lines": 7}],
                     "row_count": 2, "truncated": false}"#
    ),
    example(
        title = "Paid orders with their customers' names",
        arguments = r#"{
            "source": {"text": "id,customer,total\n1,7,20.5\n2,8,3\n3,7,1\n", "format": "csv"},
            "steps": [
                {"op": "filter", "where": {"field": "total", "op": "gte", "value": 3}},
                {"op": "join", "left": "customer", "right": "id", "as": "buyer",
                 "with": {"rows": [{"id": 7, "name": "Ada"}, {"id": 8, "name": "Bob"}]}},
                {"op": "select", "fields": ["id", {"field": "buyer.name", "as": "buyer"}]}]}"#,
        result = r#"{"rows": [{"id": 1, "buyer": "Ada"}, {"id": 2, "buyer": "Bob"}],
                     "row_count": 2, "truncated": false}"#
    )
)]
pub(crate) fn query(
    /// Where the data comes from.
    source: Source,
    /// What is done with it, in this order.
    #[default(Vec::new())]
    steps: Vec<Step>,
    /// Take a field that no row has for null instead of failing with `unknown_field`.
    #[default(false)]
    allow_missing: bool,
) -> Result<Found, ToolError> {
    let rows = pipeline::run(&source, "source", &steps, Missing::from(allow_missing))?.into_rows();
    let row_count = rows.len() as u64;
    let mut budget = Budget::new(RESULT_BYTES);
    let rows: Vec<_> = rows
        .into_iter()
        .take_while(|row| budget.take(row.written() + 1))
        .collect();
    let truncated = (rows.len() as u64) < row_count;
    Ok(Found {
        rows,
        row_count,
        truncated,
    })
}

impl From<bool> for Missing {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Null } else { Self::Refused }
    }
}
