//! What is typed of a change of production in the wrong place: `qd restart web` is `qd plan restart web`, then
//! `qd run restart web`. The nearest word that there is (`retry`) would be another deed.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;

/// What is said instead of clap's own error; `None` where that says enough.
pub fn hint(told: &clap::Error) -> Option<String> {
    let text = |kind| match told.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match told.kind() {
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand).filter(|word| is_deed(word)).map(deed),
        ErrorKind::UnknownArgument => text(ContextKind::InvalidArg).filter(|flag| *flag == "--dry-run").map(|_| dry()),
        _ => None,
    }
}

/// True of what `qd plan` and `qd run` take.
fn is_deed(word: &str) -> bool {
    Cli::command().find_subcommand("plan").is_some_and(|plan| plan.get_subcommands().any(|of| of.get_name() == word && word != "help"))
}

fn deed(word: &str) -> String {
    format!(
        "error: `{word}` changes production: it is planned first, and then carried out

  qd plan {word} ...    what it would do, and its checks; changes nothing
  qd run {word} ...     carries it out, confirmed by the plan's phrase

`qd plan {word} --help` says what each takes.
"
    )
}

fn dry() -> String {
    "error: --dry-run is of `qd plan`: it plans the same, looks at what each step would find, and changes nothing

  qd plan ... --dry-run
"
    .to_owned()
}
