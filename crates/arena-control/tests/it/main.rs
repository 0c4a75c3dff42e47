//! The suite of the control plane: services and loops over the native host and over one that fails, hangs and lies,
//! on both databases.
//!
//! Which test covers which known failure of earlier attempts; tests without a path are here.
//!
//! | pitfall | covered by |
//! |---|---|
//! | only ACTIVE channels were synced | `statuses::a_full_channel_goes_on_syncing_and_healing`, `…a_channel_in_maintenance_…` |
//! | assignment was check-then-act | `committing::two_hundred_assignments_against_one_seat_seat_one`; store `assigning::*` |
//! | only the target was recounted, FULL stuck | `model::*` (counts at the end); store `moving::a_moved_bot_is_counted_where_it_is_…`, `model`, `storm` |
//! | the recount un-drained channels, assignment ignored status | `statuses::a_draining_channel_empties_…`; store `draining::*`; core `admission::tests::draining_…`, `maintenance_…` |
//! | a moved bot was stranded, its old body a ghost | `moving::*`, `ghosts::*`, `model::*`; worlds `native_residents::*` |
//! | shard names collided | store `shards::*`; core `admission::tests::shard_numbers_are_not_reused_after_a_deletion` |
//! | nothing called "find a channel" | `healing::forty_full_worlds_…` (a roster is sharded); store `importing::a_big_roster_is_sharded_within_the_limits` |
//! | one failure aborted all later syncs, no overlap guard | `isolation::*`; worlds `discovering::sixty_four_who_search_at_once_create_one_world` |
//! | retry was a random reset of every failed bot | `backing_off::*`; core `retry::tests::*`, `sync::tests::only_retryable_faults_…` |
//! | health exited 0 when critical, divided by zero, validated twice | `reporting::*`; core `health::tests::*` |
//! | every channel shared one world | `lying::a_host_that_creates_…`, `lying::a_host_that_names_…`; worlds `native_worlds::every_channel_gets_a_world_of_its_own` |
//! | an outage looked like a deletion | `outages::*`; core `fault::tests::an_outage_never_looks_like_a_deletion` |
//! | only main's cache was cleared | worlds `discovering::only_the_right_entry_is_invalidated`, `…a_world_is_created_then_cached_then_known` |
//! | the retry without a world would have recursed for ever | `lying::a_host_that_says_a_living_world_is_gone_is_not_asked_without_end` |
//! | "queues bots if the world is unavailable" forgot them | `outages::an_outage_of_the_whole_host_burns_no_attempt_and_forgets_nobody` |
//! | a too-early re-creation was eaten by the rest of a wipe | worlds `discovering::worlds_wiped_while_they_are_created_…`; `healing::wipes_on_top_of_each_other_…` |
//! | removal beside the engine was undone by it | `ghosts::bodies_without_an_assignment_are_removed` (looks into the engine again) |
//! | worlds stopped on purpose were resumed | `ghosts::a_deleted_channel_takes_its_world_along_…`, `statuses::a_disabled_bot_stays_out_…` |
//! | unwatched worlds went idle | worlds `native_load::five_hundred_worlds_tick_fairly` (nobody watches them) |

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code; clippy only knows functions marked as tests"
)]

#[macro_use]
extern crate arena_testing;

mod support;

mod backing_off;
mod committing;
mod crashing;
mod ghosts;
mod healing;
mod isolation;
mod lying;
mod matchmaking;
mod model;
mod moving;
mod outages;
mod players;
mod reporting;
mod statuses;
mod stopping;
