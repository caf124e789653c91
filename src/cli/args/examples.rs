//! Examples in the help of subcommands.

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  qd init --prometheus http://localhost:9090
  qd init --prometheus https://prom.example --http-config ./prometheus-http.yml ./estate.toml
  qd init --alertmanager http://am1:9093 --alertmanager http://am2:9093 -
  qd init --metrics http://web1:8000/metrics
  qd init                                   a template to fill in

Only reads from the servers. Overwrites nothing: a file that is there is left as it is.
What it writes is a proposal with comments; then `qd check --live`, and `qd`.";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  qd verify store
  qd verify store --point 2026-11-21T06:00:00Z
  qd verify pg
  qd verify files --percent 10
Progress goes to standard error, the result to standard output and into the journal.
It only reads, but can load this machine and the store for as long as it takes; Ctrl-C stops it.
Exits 0 where all is as it should be, 5 where something is broken, 1 where it could not be done, 130 after Ctrl-C.";

pub(super) const JOURNAL_EXAMPLES: &str = "\
Examples:
  qd journal show
  qd journal show --run web-20261121T140455Z-3f2a
  qd journal verify
  qd journal verify --head \"$(cat head-of-yesterday)\"
  qd journal export --since 2026-01-01T00:00:00Z > journal-2026.jsonl
  qd journal verify --file journal-2026.jsonl

`qd journal verify` exits 0 where the chain is whole and 5 where it is broken. docs/verification.md says more.";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  qd check
  qd check ./estate.toml
  qd check --live
  qd check --live -o json | jq '.[] | select(.state != \"fresh\")'

Exits 0 without problems and 1 with some; with --live also 1 where a source is not fresh or a panel's query fails.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  qd completions bash > ~/.local/share/bash-completion/completions/qd
  qd completions zsh > \"${fpath[1]}/_qd\"
  qd completions fish > ~/.config/fish/completions/qd.fish";
