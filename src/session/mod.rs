//! The terminal, the signals, the loop and the effects.

pub mod archive;
pub mod ask;
pub mod attend;
pub mod clock;
pub mod contexts;
pub mod derive;
pub mod effects;
pub mod export;
pub mod feed;
pub mod guard;
pub mod input;
pub mod keep;
pub mod operator;
pub mod past;
pub mod run;
pub mod runs;
pub mod screen;
pub mod signals;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{WrapErr, bail, eyre};
use futures_util::Stream;
use jiff::SignedDuration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;

use self::archive::Archive;
use crate::app;
use crate::app::ask::Ask;
use crate::app::deployments::window::Window;
use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::layer::Pane;
use crate::app::message::Message;
use crate::app::state::State;
use crate::cache::{Cache, Opened};
use crate::journal::Hand;
use crate::model::attention::Attention;
use crate::model::backup::Proofs;
use crate::model::estate::Estate;
use crate::model::reading::Held;
use crate::model::source::Answer;
use crate::ui;

use ask::deployments::Index;
use ask::verify::Verifier;
use clock::{Clock, Wall};
use contexts::{Opening, Switcher};
use feed::Sources;
use guard::{Flush, Guard};
use keep::{Keeper, Shelf};
use operator::Bridge;
use run::{Core, End, Parts, Terminal};
use screen::Line;
use signals::Notice;

/// How long the cache may take before the console opens without it: a home on a hung file server must not keep it shut.
const CACHE_LIMIT: Duration = Duration::from_secs(1);

/// How long what was begun for an estate may take to end before another is opened.
const ENDING: Duration = Duration::from_millis(200);
/// The same for the first rows of the history.
const PIECE_LIMIT: Duration = Duration::from_millis(30);
/// How long the journal may take, likewise.
const JOURNAL_LIMIT: Duration = Duration::from_secs(2);

/// How the console is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nothing may be changed through this console.
    pub read_only: bool,
    /// Where the last known readings are kept; `None` keeps none.
    pub cache: Option<PathBuf>,
    /// Where exports go where nothing else is said.
    pub exports: Option<PathBuf>,
    /// The filter of the first pane; nothing is filtered where it is empty.
    pub filter: String,
    /// The journal; `None` keeps none, and nothing that must be recorded can be done.
    pub journal: Option<PathBuf>,
    /// Who writes to it.
    pub hand: Hand,
    /// The pane that is shown first.
    pub start_pane: Pane,
    /// How a person is called for.
    pub attention: Attention,
    /// How far back charts reach at first; `None`: an hour.
    pub range: Option<SignedDuration>,
}

/// Opens the console on this terminal and stays until it is left. The result is the exit code: 0, 130 after an
/// interrupt, 143 after SIGTERM, 131 after SIGQUIT, 129 after the terminal is gone. A panic exits 101 from here, after
/// `flush` wrote the log.
///
/// # Errors
/// Where standard input or output is no terminal, or the terminal cannot be set up.
pub fn open(first: Opening, keymap: Keymap, switcher: Switcher, flush: Flush) -> color_eyre::Result<u8> {
    for (name, there) in [("standard input", io::stdin().is_terminal()), ("standard output", io::stdout().is_terminal())] {
        if !there {
            bail!(
                "the console needs a terminal, and {name} is none: run `qd` without redirection, or over SSH with `ssh -t`; `qd status` works without a terminal"
            );
        }
    }
    signals::hold_stops().wrap_err("cannot hold SIGTSTP")?;
    let (keymap, switcher) = (Arc::new(keymap), Arc::new(switcher));
    // Signals outlive every estate.
    let lasting = runtime(1, "qd-signals")?;
    let (mut opening, mut seat) = (first, None);
    loop {
        // Polls and decoding run on the two workers; the loop has the main thread for itself. Each estate has a runtime of its
        // own: with it all ends that was begun for the estate.
        let runtime = runtime(2, "qd-worker")?;
        let end = runtime.block_on(session(opening, keymap.clone(), switcher.clone(), &mut seat, lasting.handle(), flush.clone()));
        match end {
            Ok(End::Switch(name)) => {
                runtime.shutdown_timeout(ENDING);
                opening =
                    switcher.take(&name).ok_or_else(|| eyre!("the estate {name} is not ready to be opened: this is a defect of qd"))?;
            }
            Ok(End::Leave(code)) => {
                // Whatever still waits for a dead server or disk is left behind: the person has their shell back.
                runtime.shutdown_background();
                lasting.shutdown_background();
                return Ok(code);
            }
            Err(error) => {
                runtime.shutdown_background();
                lasting.shutdown_background();
                return Err(error);
            }
        }
    }
}

fn runtime(workers: usize, name: &'static str) -> color_eyre::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(workers).thread_name(name).enable_all().build().wrap_err("cannot start the runtime")
}

/// The terminal and whoever sits at it: they stay when another estate is opened.
struct Seat {
    guard: Guard,
    line: Line,
    input: Typed,
    notices: mpsc::Receiver<Notice>,
    terminal: Terminal,
}

/// What is typed.
type Typed = Pin<Box<dyn Stream<Item = Message> + Send>>;

impl Seat {
    fn take(lasting: &Handle, flush: Flush) -> color_eyre::Result<Seat> {
        // The signals first: one that came between would leave the terminal as it is inside.
        let notices = {
            let _inside = lasting.enter();
            signals::listen().wrap_err("cannot listen to signals")?
        };
        let guard = Guard::new();
        guard.catch_panics(flush);
        let line = Line::open(guard.modes()).wrap_err("cannot open the terminal for writing")?;
        let panic_key = std::env::var("QD_PANIC_KEY").ok().and_then(|key| key.parse().ok());
        let input = Box::pin(input::listen(panic_key).wrap_err("cannot read the terminal")?);
        Ok(Seat { guard, line, input, notices, terminal: Terminal::Theirs })
    }
}

/// The store, what it held of each source, and a line about it.
type Shelved = (Option<Arc<dyn keep::Store>>, Option<Vec<Option<Held<Answer>>>>, Option<String>);

/// One estate, from its first frame until it is left.
async fn session(
    opening: Opening,
    keymap: Arc<Keymap>,
    switcher: Arc<Switcher>,
    seat: &mut Option<Seat>,
    lasting: &Handle,
    flush: Flush,
) -> color_eyre::Result<End> {
    let Opening { estate, look, identity, options, contexts } = opening;
    let past = past::past(estate.clone(), options.cache.clone());
    let cache = options.cache.clone();
    let archive = Arc::new(Archive::new(estate.clone(), options.cache.clone()));
    let (store, cached, notice) = shelf(&estate, options.cache).await;
    let (proofs, problem) = known(options.journal.clone()).await;
    let mut state = State::new(estate.clone(), identity, look, keymap, Wall.now(), (80, 24));
    state.verifying.proofs = Arc::new(proofs);
    state.verifying.problem = problem;
    if state.tells_of_deployments() {
        // Before anything is known: what the view holds is not all of it.
        state.window = Window::over_index();
    }
    state.read_only = options.read_only;
    state.contexts = contexts;
    state.attention.wishes = options.attention;
    state.pane = options.start_pane;
    state.demand.range = options.range.unwrap_or(state.demand.range);
    state.exports = options.exports.map(|folder| folder.to_string_lossy().into_owned());
    if let Err(why) = app::update::narrow(&mut state, &options.filter) {
        bail!("--filter: {why}");
    }
    app::pane::refresh(&mut state);
    if let Some(cached) = cached {
        // Nothing is on the screen yet, and the loop's first message asks again for all that is wanted of the world.
        app::update::update(&mut state, Message::Cached(cached));
    }
    if let Some(notice) = notice {
        app::update::update(&mut state, Message::Notice(notice));
    }
    // Under --read-only nobody is there who could carry anything out.
    let journal = options.journal.clone().filter(|_| !options.read_only);
    let operator = journal.map(|journal| {
        Arc::new(Bridge::new(estate.clone(), archive.clone(), journal, options.hand.clone())) as Arc<dyn ask::wizard::Operator>
    });
    let verifier = Arc::new(Verifier::new(options.journal, options.hand));
    let feed = Sources::new(estate.clone(), past, archive, verifier.clone()).reading(cache).operated(operator).switched(switcher);
    if state.tells_of_deployments() {
        first_piece(&mut state, feed.deployments()).await;
    }
    let taken = match seat.take() {
        Some(seat) => seat,
        None => Seat::take(lasting, flush)?,
    };
    let Seat { guard, line, input, notices, terminal } = taken;
    let mut parts = Parts {
        core: Core { update: app::update::update, draw: ui::draw, wake: app::pane::next_wake },
        state,
        sink: line,
        input,
        notices,
        clock: Wall,
        feed,
        keeper: Keeper::new(store, estate.sources.len()),
        terminal,
    };
    let end = run::run(&mut parts).await;
    if !matches!(end, Ok(End::Switch(_))) {
        parts.sink.close();
        guard.restore();
    }
    // What runs here ends here, and is recorded as that.
    verifier.finish().await;
    parts.keeper.finish().await;
    let Parts { sink, input, notices, terminal, .. } = parts;
    *seat = Some(Seat { guard, line: sink, input, notices, terminal });
    end.wrap_err("cannot set the terminal up")
}

/// Reads the first piece of the history, so that the first frame has it; where that takes too long it comes later.
async fn first_piece(state: &mut State, history: &Index) {
    for effect in app::update::update(state, Message::Tick) {
        let Effect::Ask(ask) = effect else { continue };
        let Ask::Deployments(question) = *ask else { continue };
        if let Ok(told) = tokio::time::timeout(PIECE_LIMIT, history.piece(question, Arc::new(drop))).await {
            app::update::update(state, Message::Told(Box::new(told)));
        }
    }
    // What was asked besides nobody answers before the loop runs.
    state.window.ask_again();
}

/// What the journal proves of backups. A journal that is broken or too slow proves nothing, and that is shown.
async fn known(path: Option<PathBuf>) -> (Proofs, Option<String>) {
    let Some(path) = path else { return (Proofs::default(), Some("there is no folder for it: set HOME or XDG_STATE_HOME".into())) };
    match tokio::time::timeout(JOURNAL_LIMIT, tokio::task::spawn_blocking(move || ask::verify::known(&path))).await {
        Ok(Ok(known)) => known,
        Ok(Err(_)) | Err(_) => (Proofs::default(), Some("it took too long to read: what was verified before is not known".into())),
    }
}

/// The cache, what it held, and what to say of it. A cache that is broken, or too slow, costs no more than its readings.
async fn shelf(estate: &Arc<Estate>, path: Option<PathBuf>) -> Shelved {
    let Some(path) = path else { return (None, None, None) };
    let estate = estate.clone();
    let opening = tokio::task::spawn_blocking(move || {
        let (cache, opened) = Cache::open(&path)?;
        let held = cache.load(&estate);
        Ok::<_, crate::cache::CacheError>((Shelf::new(cache, estate), held, opened))
    });
    match tokio::time::timeout(CACHE_LIMIT, opening).await {
        Ok(Ok(Ok((shelf, held, opened)))) => {
            let notice = match opened {
                Opened::Rebuilt(why) => Some(format!("the cache of readings {why}: rebuilt")),
                Opened::New | Opened::Kept => None,
            };
            (Some(Arc::new(shelf)), Some(held), notice)
        }
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, "the cache cannot be used; the console opens without it");
            (None, None, None)
        }
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("the cache took too long; the console opens without it");
            (None, None, None)
        }
    }
}
