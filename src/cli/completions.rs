//! `qd completions SHELL`: what makes a shell complete subcommands and flags.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::OK;
use super::args::Cli;
use super::failure::Failure;

/// Prints the shell's own script.
pub fn run(shell: Shell, out: &mut dyn Write) -> Result<u8, Failure> {
    // By way of memory: the generator panics where its output cannot be written, as when a pager is left.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "qd", &mut script);
    out.write_all(&script)?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn each_shell_is_told_every_subcommand() {
        for shell in Shell::value_variants() {
            let mut out = Vec::new();
            assert_eq!(run(*shell, &mut out).unwrap(), OK);
            let script = String::from_utf8(out).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell} does not know {}", command.get_name());
            }
        }
    }
}
