//! Several estates: those that have a name, which one is open, and the list in which another is chosen. Only the open one
//! is contacted; opening another ends this one's reading first. Runs go on: they are not this console's.

use super::layer::Layer;
use super::state::State;

/// Estates that have a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contexts {
    /// In the order in which they are listed.
    pub all: Vec<Known>,
    /// The open one, a place in `all`.
    pub open: Option<usize>,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// True where nothing may be changed through it.
    pub read_only: bool,
    /// What its file says, once that was looked at; else why it cannot be used.
    pub looked: Option<Result<Looked, String>>,
}

/// What an estate file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// What the estate is called.
    pub estate: String,
    /// Its environment.
    pub environment: String,
}

/// The list, open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextList {
    /// The selected line.
    pub selected: usize,
    /// The one whose file is being read, to be opened.
    pub wanted: Option<String>,
    /// Why another was not opened, a line each.
    pub refused: Vec<String>,
}

impl Contexts {
    /// The name of the open one.
    pub fn name(&self) -> Option<&str> {
        self.open.and_then(|open| self.all.get(open)).map(|known| known.name.as_str())
    }
}

/// Why this estate cannot be left now: what would be lost with it.
pub fn held_up(state: &State) -> Option<String> {
    let verified = state.verifying.running.keys().next().and_then(|index| state.estate.sources.get(*index));
    state
        .layers
        .iter()
        .find_map(|layer| match layer {
            Layer::Wizard(of) => Some(format!("the wizard of {} is open: finish it or leave it first", of.subject.name())),
            Layer::Request(form) => Some(format!("a reason for the run {} is being typed: finish it or leave it first", form.run)),
            Layer::Export(form) if matches!(form.far, Some(super::ask::Exported::Rows(_))) => {
                Some("deployments are being written to a file: let it end or stop it first".to_owned())
            }
            _ => None,
        })
        .or_else(|| verified.map(|source| format!("{} is being verified, which would end: stop it first", source.name)))
}
