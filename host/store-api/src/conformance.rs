//! What every backend must show: one case for each promise of the traits.
//!
//! A backend's test calls [`crate::conformance!`] with an expression that makes a fresh
//! [`Harness`]; a backend that is [`Durable`] also calls [`crate::restart_conformance!`]. [`model`] compares two backends over random operations.

pub mod agents;
pub mod audit;
pub mod blobs;
pub mod events;
pub mod fence;
pub mod isolation;
pub mod key_values;
pub mod keys;
pub mod model;
pub mod restart;
pub mod runs;
pub mod sample;
pub mod secrets;
pub mod tasks;
pub mod tool_changes;
pub mod tool_names;
pub mod tool_standings;
pub mod tools;

#[cfg(test)]
mod tests;

use crate::Stores;

/// Fresh, empty stores of the backend under test, and what has to live as long as they do.
pub trait Harness {
    /// The stores.
    fn stores(&self) -> Stores;
}

/// A backend that keeps its content.
pub trait Durable: Harness {
    /// Closes the stores in an orderly way and opens them again, as a host that starts anew does.
    /// The caller has dropped every handle.
    fn restart(&mut self) -> impl Future<Output = ()>;
}

/// Makes one `#[tokio::test]` for each case, in a module for each table.
///
/// `$harness` is evaluated once for each case and is a [`conformance::Harness`](Harness).
#[macro_export]
macro_rules! conformance {
    ($harness:expr) => {
        $crate::conformance_tests! { $harness =>
            agents: put_adds_and_replaces;
            audit: appends_number_on, a_wrong_number_is_refused_whole, list_pages_newest_first,
                reads_all_in_order, finds_the_tree_of_a_call, prune_cuts_the_front;
            blobs: bytes_come_back, put_twice_keeps_the_first;
            events: reads_on_without_gaps, kinds_come_back;
            fence: claims_count_up, an_old_driver_is_refused, a_repeated_append_is_refused,
                a_gap_is_refused, a_finished_run_is_closed, a_refused_append_leaves_nothing,
                contradictions_are_refused, one_of_many_drivers_wins;
            isolation: tools_and_blobs_of_others, standing_of_others, tasks_of_others, runs_of_others,
                agents_and_audit_of_others, secrets_of_others;
            key_values: what_is_set_comes_back, a_condition_has_to_hold,
                a_quota_is_never_exceeded, many_at_once, list_pages_by_key, spaces_are_apart;
            keys: create_refuses_a_taken_id;
            runs: create_writes_run_event_and_task, create_refuses_and_leaves_nothing,
                a_cancelled_task_takes_no_run, one_live_run_per_task, append_moves_all_on,
                cancel_is_noted_once, append_keeps_the_cancel, list_pages_newest_first,
                unfinished_pages_over_tenants;
            secrets: a_sealed_value_comes_back, a_write_needs_what_it_replaces,
                one_of_many_writers_wins, remove_frees_the_name, lists_are_in_order;
            tasks: create_and_get, a_taken_id_is_refused, list_pages_newest_first,
                update_needs_the_expected_time, update_waits_for_the_run, rich_json_comes_back;
            tool_changes: each_write_counts_once, a_batch_is_one_change,
                what_changes_nothing_counts_nothing, names_come_by_their_last_change,
                a_change_is_never_split, behind_the_end_is_the_own_number;
            tool_names: a_name_belongs_to_its_component, a_name_without_versions_stays_its_own,
                look_alikes_are_refused, look_alikes_of_removed_names_are_refused,
                a_batch_is_held_against_itself, a_refused_batch_claims_nothing;
            tool_standings: a_status_changes_once, a_pin_changes_once, what_is_not_there_is_missing,
                what_is_not_idle_keeps_its_status, cleanup_removes_what_is_deprecated_and_idle,
                other_bytes_never_come_back, the_same_bytes_come_back_fresh,
                removing_leaves_the_others, usage_adds_up, time_moves_forward_only,
                uses_of_others_are_passed_over, sums_end_at_their_bound, many_uses_at_once,
                one_of_many_changes_wins;
            tools: register_and_get, register_is_idempotent, register_is_all_or_nothing,
                a_batch_that_contradicts_itself, one_of_many_components_wins,
                list_is_sorted_by_version, list_pages_by_name, list_keeps_to_the_prefix;
        }
    };
}

/// Makes one `#[tokio::test]` for each case about a restart; `$harness` is a
/// [`conformance::Durable`](Durable).
#[macro_export]
macro_rules! restart_conformance {
    ($harness:expr) => {
        mod restart {
            use super::*;

            #[tokio::test]
            async fn every_table_is_kept() {
                $crate::conformance::restart::every_table_is_kept(&mut $harness).await;
            }

            #[tokio::test]
            async fn tools_keep_their_standing() {
                $crate::conformance::restart::tools_keep_their_standing(&mut $harness).await;
            }

            #[tokio::test]
            async fn the_fence_is_kept() {
                $crate::conformance::restart::the_fence_is_kept(&mut $harness).await;
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr => $($table:ident: $($case:ident),+;)+) => {
        $(mod $table {
            use super::*;

            $(#[tokio::test]
            async fn $case() {
                let harness = $harness;
                let stores = $crate::conformance::Harness::stores(&harness);
                $crate::conformance::$table::$case(stores).await;
            })+
        })+
    };
}
