//! The thirteen promises, and for each the tests that hold it and the tests that plant a break of it and see that it is
//! found. A promise without both fails here, and so does a test that is named here and is not there.

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
const SECRETS: (&str, &str) = ("tests/operate/secrets.rs", "secrets_that_are_planted_are_in_nothing_that_a_run_leaves_tells_or_shows");
const READ_ONLY: (&str, &str) =
    ("tests/operate/readonly.rs", "with_read_only_no_run_and_no_runner_changes_anything_and_one_that_does_is_seen");
const STALE: (&str, &str) = (BREAKS, "a_check_that_takes_a_stale_reading_as_true_is_seen");

const PROMISES: &[Promise] = &[
    Promise {
        number: 1,
        what: "no mutating call without a synced intent",
        held: &[
            ("tests/operate/matrix.rs", "a_real_run_that_is_killed_at_any_boundary_of_its_own_steps_and_first_host_is_done"),
            ("tests/operate/matrix.rs", "a_real_run_that_is_killed_at_any_boundary_of_its_second_host_is_done"),
            ("tests/operate/matrix.rs", "a_real_run_that_is_killed_at_any_boundary_of_its_abort_is_taken_back"),
        ],
        broken: &[
            (BREAKS, "an_intent_that_is_not_on_the_disk_is_seen"),
            ("tests/operate/matrix.rs", "a_job_that_ran_twice_and_a_link_that_the_record_does_not_know_are_seen"),
            (SHELL, "that_a_job_began_is_synced_once_before_its_script_runs"),
        ],
    },
    Promise {
        number: 2,
        what: "unknown is a state; a write is never retried blindly",
        held: &[("tests/operate/faults.rs", "a_reply_that_is_lost_is_read_back_and_never_written_again")],
        broken: &[(BREAKS, "a_write_that_is_made_again_blindly_is_seen"), (BREAKS, "a_result_that_is_not_true_is_seen")],
    },
    Promise {
        number: 3,
        what: "every mutating call carries what it expects to find",
        held: &[("src/act/scripts_tests.rs", "a_switch_of_a_link_that_moved_is_refused_and_one_without_its_expectation_is_seen")],
        broken: &[("src/act/scripts_tests.rs", "a_switch_of_a_link_that_moved_is_refused_and_one_without_its_expectation_is_seen")],
    },
    Promise {
        number: 4,
        what: "one run per target",
        held: &[
            ("tests/operate/faults.rs", "two_runners_with_two_journals_on_one_world_make_one_run"),
            ("src/link/ssh/writer_tests.rs", "a_runner_that_was_frozen_changes_nothing_after_the_take_over"),
        ],
        broken: &[(SHELL, "a_job_without_the_proof_of_its_lease_is_seen"), (BREAKS, "a_fence_number_that_is_ignored_is_seen")],
    },
    Promise {
        number: 5,
        what: "what is confirmed is what is run",
        held: &[("tests/operate/faults.rs", "an_order_that_is_not_what_was_agreed_to_leaves_no_trace")],
        broken: &[(BREAKS, "another_plan_than_was_agreed_to_is_seen"), (BREAKS, "a_plan_that_is_begun_too_late_is_seen")],
    },
    Promise {
        number: 7,
        what: "the terminal may die",
        held: &[
            ("tests/operate/process.rs", "it_says_started_after_its_first_heartbeat_and_outlives_hangups"),
            ("tests/pty.rs", "a_panic_restores_the_terminal_says_so_and_leaves_with_101"),
        ],
        broken: &[("tests/operate/process.rs", "a_runner_that_is_not_detached_is_seen")],
    },
    Promise { number: 8, what: "stale data is never shown as live", held: &[STALE], broken: &[STALE] },
    Promise { number: 9, what: "secrets are references", held: &[SECRETS], broken: &[SECRETS] },
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
        held: &[("src/link/ssh/writer_tests.rs", "arguments_arrive_as_they_are")],
        broken: &[(SHELL, "an_argument_that_a_shell_parses_is_seen")],
    },
    Promise {
        number: 13,
        what: "a destructive act is never one key",
        held: &[
            (WIZARD, "enter_alone_never_confirms_however_often"),
            (WIZARD, "a_paste_never_confirms"),
            (WIZARD, "keys_before_the_dialog_is_drawn_and_in_its_first_moments_are_ignored"),
        ],
        broken: &[(WIZARD, "a_console_that_enter_a_paste_or_early_keys_confirm_is_seen")],
    },
];

/// Promises that no act of this version could break, and why. An act that could takes its promise out of here.
const NOT_YET: &[(usize, &str)] = &[(6, "no act of this version loses data: a rollback of a release states what it does not revert")];

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
