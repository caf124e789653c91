//! The thirteen promises, and for each the tests that hold it and the tests that plant a break of it and see that it is
//! found. A promise without both fails here, and so does a test that is named here and is not there. The same of the
//! oracles, which judge every run that something was done to.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::fs;
use std::path::Path;

/// One test: its file from the repository's root, and its name.
type Test = (&'static str, &'static str);

/// A promise.
struct Promise {
    number: usize,
    what: &'static str,
    /// What holds it.
    held: &'static [Test],
    /// What plants a break of it.
    broken: &'static [Test],
}

const BREAKS: &str = "tests/operate/breaks.rs";
const WIZARD: &str = "src/app/update/tests/wizard.rs";
const SHELL: &str = "src/link/ssh/shell_tests.rs";
const WRITER: &str = "src/link/ssh/writer_tests.rs";
const SCRIPTS: &str = "src/act/scripts_tests.rs";
const MATRIX: &str = "tests/operate/matrix.rs";
const FAULTS: &str = "tests/operate/faults.rs";
const SYNCED: (&str, &str) = ("src/journal/tests/disk.rs", "an_event_is_synced_before_its_append_comes_back");
const BEGAN: (&str, &str) = (SHELL, "that_a_job_began_is_synced_once_before_its_script_runs");
const LINK: (&str, &str) = (SCRIPTS, "a_switch_of_a_link_that_moved_is_refused_and_one_without_its_expectation_is_seen");
const JUDGE: &str = "tests/operate/oracles.rs";
const YARD: &str = "tests/operate/yard.rs";
const DRAWN: (&str, &str) = ("src/ui/tests.rs", "no_screen_draws_a_stale_value_as_live_and_one_that_did_would_be_found");
const RESIDUE: (&str, &str) = (MATRIX, "a_second_process_a_write_that_is_gone_and_a_secret_that_was_printed_are_seen");
const SECRETS: (&str, &str) = ("tests/operate/secrets.rs", "secrets_that_are_planted_are_in_nothing_that_a_run_leaves_tells_or_shows");
const READ_ONLY: (&str, &str) =
    ("tests/operate/readonly.rs", "with_read_only_no_run_and_no_runner_changes_anything_and_one_that_does_is_seen");
const STALE: (&str, &str) = (BREAKS, "a_check_that_takes_a_stale_reading_as_true_is_seen");

const PROMISES: &[Promise] = &[
    Promise {
        number: 1,
        what: "no mutating call without a synced intent",
        held: &[
            SYNCED,
            BEGAN,
            (MATRIX, "a_real_run_that_is_killed_at_any_boundary_of_its_own_steps_and_first_host_is_done"),
            (MATRIX, "a_real_run_that_is_killed_at_any_boundary_of_its_second_host_is_done"),
            (MATRIX, "a_real_run_that_is_killed_at_any_boundary_of_its_abort_is_taken_back"),
            (FAULTS, "a_journal_that_is_full_after_any_event_stops_the_runner_and_the_run_goes_on_later"),
        ],
        broken: &[
            SYNCED,
            BEGAN,
            (BREAKS, "an_intent_that_is_not_on_the_disk_is_seen"),
            (BREAKS, "a_result_that_is_not_recorded_is_seen"),
            (BREAKS, "an_end_that_is_none_or_not_true_is_seen"),
            (MATRIX, "a_job_that_ran_twice_and_a_link_that_the_record_does_not_know_are_seen"),
        ],
    },
    Promise {
        number: 2,
        what: "unknown is a state; a write is never retried blindly",
        held: &[
            (FAULTS, "a_reply_that_is_lost_is_read_back_and_never_written_again"),
            (FAULTS, "an_outcome_that_stays_dark_is_a_persons_question_until_it_is_read_after_all"),
            ("src/act/tests.rs", "a_request_is_sent_once_and_one_whose_answer_is_lost_is_for_a_person"),
            ("src/act/silence/tests.rs", "a_lost_answer_is_decided_by_what_all_peers_say"),
        ],
        broken: &[(BREAKS, "a_write_that_is_made_again_blindly_is_seen"), (BREAKS, "a_result_that_is_not_true_is_seen")],
    },
    Promise {
        number: 3,
        what: "every mutating call carries what it expects to find",
        held: &[
            LINK,
            ("src/act/tests.rs", "each_act_is_done_once_taken_back_and_never_done_to_a_world_that_moved"),
            (SCRIPTS, "a_unit_is_restarted_once_and_never_where_it_was_stopped_or_started_anew"),
            ("src/act/silence/tests.rs", "what_is_changed_must_be_as_the_plan_says_on_every_peer_that_answers"),
        ],
        broken: &[LINK, (SCRIPTS, "a_restart_without_what_it_expects_is_seen")],
    },
    Promise {
        number: 4,
        what: "one run per target",
        held: &[
            (FAULTS, "two_runners_with_two_journals_on_one_world_make_one_run"),
            (FAULTS, "a_runner_that_was_frozen_longer_than_its_lease_changes_nothing_when_it_goes_on"),
            (WRITER, "a_runner_that_was_frozen_changes_nothing_after_the_take_over"),
        ],
        broken: &[
            (SHELL, "a_job_without_the_proof_of_its_lease_is_seen"),
            (BREAKS, "a_fence_number_that_is_ignored_is_seen"),
            (BREAKS, "two_runs_that_change_one_target_at_once_are_seen"),
        ],
    },
    Promise {
        number: 5,
        what: "what is confirmed is what is run",
        held: &[
            (FAULTS, "an_order_that_is_not_what_was_agreed_to_leaves_no_trace"),
            (WIZARD, "another_plan_of_the_same_question_invalidates_the_one_that_is_confirmed"),
            (WIZARD, "an_expired_plan_is_made_anew"),
            ("tests/rollback.rs", "a_world_that_moves_while_the_wizard_is_open_takes_the_phrase_away"),
        ],
        broken: &[(BREAKS, "another_plan_than_was_agreed_to_is_seen"), (BREAKS, "a_plan_that_is_begun_too_late_is_seen")],
    },
    Promise {
        number: 7,
        what: "the terminal may die",
        held: &[
            ("tests/operate/process.rs", "it_says_started_after_its_first_heartbeat_and_outlives_hangups"),
            ("tests/rollback.rs", "a_run_outlives_its_console_says_when_it_is_orphaned_and_is_taken_back"),
            ("src/operate/preflight/tests.rs", "each_check_tells_what_is_wrong"),
            ("tests/pty.rs", "a_panic_restores_the_terminal_says_so_and_leaves_with_101"),
            ("tests/pty.rs", "signals_leave_with_their_codes"),
        ],
        broken: &[
            ("tests/operate/process.rs", "a_runner_that_is_not_detached_is_seen"),
            ("tests/pty.rs", "a_terminal_that_is_not_restored_is_seen"),
        ],
    },
    Promise { number: 8, what: "stale data is never shown as live", held: &[STALE, DRAWN], broken: &[STALE, DRAWN] },
    Promise {
        number: 9,
        what: "secrets are references",
        held: &[SECRETS, ("tests/operate/secrets.rs", "a_secret_that_is_rotated_while_a_run_is_on_is_hidden_as_the_one_before_is")],
        broken: &[SECRETS, RESIDUE],
    },
    Promise {
        number: 10,
        what: "outside text is hostile",
        held: &[SECRETS, ("src/act/printed.rs", "the_last_lines_come_clean_and_with_an_end")],
        broken: &[
            SECRETS,
            ("tests/hostile.rs", "a_screen_that_paints_what_was_not_cleaned_is_found"),
            ("tests/hostile.rs", "the_scanner_finds_every_hostile_text_that_is_not_cleaned_and_none_that_is"),
        ],
    },
    Promise {
        number: 11,
        what: "read-only is enforced where writes leave",
        held: &[READ_ONLY, ("src/cli/deed/tests.rs", "read_only_asks_nothing_and_a_request_lies_in_the_runs_folder")],
        broken: &[
            READ_ONLY,
            ("tests/architecture.rs", "what_writes_and_what_spawns_is_found"),
            ("tests/architecture.rs", "a_permit_that_is_made_outside_the_runner_is_found"),
        ],
    },
    Promise {
        number: 12,
        what: "no shell parses our data",
        held: &[(WRITER, "arguments_arrive_as_they_are"), (WRITER, "another_target_or_machine_is_refused")],
        broken: &[(SHELL, "an_argument_that_a_shell_parses_is_seen"), (WRITER, "without_its_proof_each_refused_job_would_have_run")],
    },
    Promise {
        number: 13,
        what: "a destructive act is never one key",
        held: &[
            (WIZARD, "enter_alone_never_confirms_however_often"),
            (WIZARD, "a_paste_never_confirms"),
            (WIZARD, "keys_before_the_dialog_is_drawn_and_in_its_first_moments_are_ignored"),
            (WIZARD, "the_focus_starts_on_cancel_and_enter_there_goes_back"),
            (WIZARD, "the_action_is_on_no_key_that_is_pressed_by_accident"),
            ("src/app/keymap.rs", "what_changes_production_is_on_no_key_that_is_pressed_by_accident"),
            ("src/app/update/tests/processes.rs", "it_is_confirmed_by_the_phrase_alone"),
            ("src/app/update/tests/silence.rs", "it_is_confirmed_by_the_phrase_and_nothing_but_its_own_plan_begins"),
            ("src/app/update/tests/runs.rs", "each_key_opens_its_form_which_begins_on_cancel_and_asks_with_the_reason_that_is_typed"),
            ("src/app/update/tests/runs.rs", "p_pauses_at_once_and_lets_go_on_without_a_form"),
        ],
        broken: &[(WIZARD, "a_console_that_enter_a_paste_or_early_keys_confirm_is_seen")],
    },
];

/// Promises that no act of this version could break, and why. An act that could takes its promise out of here.
const NOT_YET: &[(usize, &str)] = &[(6, "no act of this version loses data: a rollback of a release states what it does not revert")];

/// What judges every run that something was done to: its name, its files, and the tests that feed it a world with a break,
/// made by the same code with one part that is broken.
const ORACLES: &[(&str, &[&str], &[Test])] = &[
    ("I1", &[JUDGE, YARD], &[(BREAKS, "two_runs_that_change_one_target_at_once_are_seen"), RESIDUE]),
    ("I2", &[JUDGE], &[(BREAKS, "an_intent_that_is_not_on_the_disk_is_seen"), (BREAKS, "a_result_that_is_not_true_is_seen")]),
    ("I3", &[JUDGE], &[(BREAKS, "a_fence_number_that_is_ignored_is_seen"), (BREAKS, "another_plan_than_was_agreed_to_is_seen")]),
    (
        "I4",
        &[JUDGE, YARD],
        &[
            (BREAKS, "a_write_that_is_made_again_blindly_is_seen"),
            (MATRIX, "a_job_that_ran_twice_and_a_link_that_the_record_does_not_know_are_seen"),
        ],
    ),
    (
        "I5",
        &[JUDGE, YARD],
        &[
            (BREAKS, "an_end_that_is_none_or_not_true_is_seen"),
            (MATRIX, "a_job_that_ran_twice_and_a_link_that_the_record_does_not_know_are_seen"),
        ],
    ),
    ("I6", &[JUDGE], &[(BREAKS, "an_event_that_was_changed_is_seen")]),
    ("I7", &[JUDGE], &[(BREAKS, "acknowledged_writes_that_are_gone_are_seen"), RESIDUE]),
    ("I8", &[JUDGE], &[(BREAKS, "a_lease_that_is_kept_is_seen")]),
    ("I9", &[JUDGE], &[RESIDUE]),
];

/// The promises of which something is missing, and what.
fn missing(promises: &[Promise], read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for number in 1..=13 {
        let of: Vec<&Promise> = promises.iter().filter(|promise| promise.number == number).collect();
        match (of.as_slice(), NOT_YET.iter().any(|(not, _)| *not == number)) {
            ([_], false) | ([], true) => {}
            _ => wrong.push(format!("promise {number} stands {} times in the table", of.len())),
        }
    }
    for promise in promises {
        for (name, tests) in [("test", promise.held), ("planted break", promise.broken)] {
            if tests.is_empty() {
                wrong.push(format!("promise {} ({}) has no {name}", promise.number, promise.what));
            }
            for (file, test) in tests {
                if !read(file).is_some_and(|text| is_test(&text, test)) {
                    wrong.push(format!("promise {} ({}): its {name} {test} is not in {file}", promise.number, promise.what));
                }
            }
        }
    }
    wrong
}

/// True where a function of that name stands right below the word that makes it a test.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = [format!("fn {name}("), format!("async fn {name}(")];
    let place = lines.iter().position(|line| begins.iter().any(|begin| line.starts_with(begin)));
    place
        .and_then(|place| lines.get(place.checked_sub(1)?))
        .is_some_and(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[test]
fn each_promise_has_a_test_and_a_planted_break() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(missing(PROMISES, |file| fs::read_to_string(root.join(file)).ok()), Vec::<String>::new());
}

#[test]
fn each_oracle_is_there_and_was_seen_to_find_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    assert_eq!(ORACLES.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), (1..=9).map(|n| format!("I{n}")).collect::<Vec<_>>());
    for (name, files, broken) in ORACLES {
        assert!(files.iter().all(|file| read(file).contains(&format!("\"{name}: "))), "{name} judges in {files:?}");
        assert!(!broken.is_empty(), "{name}");
        for (file, test) in *broken {
            assert!(is_test(&read(file), test) && read(file).contains(&format!("\"{name}")), "{name}: {test} of {file}");
        }
    }
}

#[test]
fn a_promise_that_lost_its_test_or_its_break_is_told() {
    let is = |text: &'static str| move |_: &str| Some(text.to_owned());
    let (held, broken): (&[Test], &[Test]) = (&[("a.rs", "holds")], &[("a.rs", "breaks")]);
    let one = |held, broken| [Promise { number: 1, what: "it", held, broken }];
    let of = |wrong: Vec<String>| wrong.into_iter().filter(|wrong| wrong.starts_with("promise 1 (")).collect::<Vec<_>>();
    let both = "#[test]\nfn holds() {}\n#[tokio::test]\nasync fn breaks() {}\n";
    assert_eq!(of(missing(&one(held, broken), is(both))), Vec::<String>::new());
    assert_eq!(of(missing(&one(held, &[]), is(both))), ["promise 1 (it) has no planted break"]);
    assert_eq!(
        of(missing(&one(held, broken), is("fn holds() {}\n#[test]\nfn breaks() {}\n"))),
        ["promise 1 (it): its test holds is not in a.rs"]
    );
    assert!(missing(&one(held, broken), is(both)).contains(&"promise 2 stands 0 times in the table".to_owned()));
}
