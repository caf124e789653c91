//! The terminal, the signals, the loop and the effects.

pub mod archive;
pub mod ask;
pub mod attend;
pub mod clipboard;
pub mod clock;
pub mod contexts;
pub mod derive;
mod drawing;
pub mod effects;
pub mod export;
pub mod feed;
pub mod ground;
pub mod guard;
pub mod input;
pub mod keep;
pub mod linear;
pub mod operator;
pub mod past;
pub mod run;
pub mod runs;
pub mod screen;
mod seat;
pub mod signals;
mod views;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{WrapErr, bail, eyre};
use jiff::SignedDuration;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;

use self::archive::Archive;
use crate::app;
use crate::app::ask::Ask;
use crate::app::deployments::window::Window;
use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::layer::Pane;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::themes;
use crate::app::views::{View, Views, line};
use crate::cache::{Cache, Opened};
use crate::journal::Hand;
use crate::model::attention::Attention;
use crate::model::backup::Proofs;
use crate::model::estate::{Estate, SourceKind};
use crate::model::reading::Held;
use crate::model::source::Answer;
use crate::ui;

use ask::deployments::Index;
use ask::verify::Verifier;
use clipboard::Clipboard;
use clock::{Clock, Wall};
use contexts::{Opening, Switcher};
use feed::Sources;
use guard::Flush;
use keep::{Keeper, Shelf};
use operator::Bridge;
use run::{Core, End, Parts};
use seat::Seat;

/// How long the cache may take before the console opens without it: a home on a hung file server must not keep it shut.
const CACHE_LIMIT: Duration = Duration::from_secs(1);

/// How long what was begun for an estate may take to end before another is opened, or the console is left.
const ENDING: Duration = Duration::from_millis(200);
/// The same for the first rows of the history.
const PIECE_LIMIT: Duration = Duration::from_millis(30);
/// How long the first frame waits for a journal: a thousand events are read in that time. A longer one is told of later.
const JOURNAL_LIMIT: Duration = Duration::from_millis(5);
/// What is said of verifications until then.
const UNREAD: &str = "it is being read: what was verified before is not known yet";

/// Who leaves sooner than that after opening may leave before the terminal has answered.
const HASTE: Duration = Duration::from_millis(500);
/// How long they are kept for it then.
const LATE: Duration = Duration::from_millis(150);

/// How the console is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nothing may be changed through this console.
    pub read_only: bool,
    /// What is shown is practice, and ends with this console.
    pub practice: bool,
    /// Where the last known readings are kept; `None` keeps none.
    pub cache: Option<PathBuf>,
    /// Where exports go where nothing else is said.
    pub exports: Option<PathBuf>,
    /// Where queries that were typed are kept; `None` keeps none.
    pub queries: Option<PathBuf>,
    /// The filter of the first pane; nothing is filtered where it is empty.
    pub filter: String,
    /// The journal; `None` keeps none, and nothing that must be recorded can be done.
    pub journal: Option<PathBuf>,
    /// Who writes to it.
    pub hand: Hand,
    /// The pane that is shown first.
    pub start_pane: Pane,
    /// What copies text.
    pub clipboard: Clipboard,
    /// True where the mouse clicks and scrolls from the first.
    pub mouse: bool,
    /// How a person is called for.
    pub attention: Attention,
    /// How far back charts reach at first; `None`: an hour.
    pub range: Option<SignedDuration>,
    /// The saved views.
    pub views: Views,
    /// The one that is shown first, instead of pane and filter.
    pub view: Option<View>,
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
    // Whatever estate is open when it is left: the practice ends with it.
    let practice = first.options.practice;
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
                opening.options.practice = practice;
            }
            Ok(End::Leave(code)) => {
                // The programs that were started for a reading end with the console: what waits for them is dropped, which
                // kills them. Whatever still waits for a dead server or disk is left behind soon: the person has their
                // shell back.
                runtime.shutdown_timeout(ENDING);
                lasting.shutdown_background();
                return Ok(code);
            }
            Err(error) => {
                runtime.shutdown_timeout(ENDING);
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
    let Opening { estate, mut look, identity, options, contexts } = opening;
    let clipboard = options.clipboard;
    // What the terminal said of its ground holds for every estate.
    if let Some(seat) = seat.as_ref() {
        themes::take_over(&mut look, seat.told, seat.chosen.as_ref());
    }
    let opened_with = themes::word(&look).to_owned();
    let past = past::past(estate.clone(), options.cache.clone());
    let cache = options.cache.clone();
    let archive = Arc::new(Archive::new(estate.clone(), options.cache.clone()));
    let reading = read(&estate, options.journal.as_ref());
    let (store, cached, notice) = shelf(&estate, options.cache).await;
    let (proofs, problem) = proven(options.journal.as_ref(), reading).await;
    let mut state = State::new(estate.clone(), identity, look, keymap, Wall.now(), (80, 24));
    (state.verifying.proofs, state.verifying.problem) = (Arc::new(proofs), problem);
    if state.tells_of_deployments() {
        // Before anything is known: what the view holds is not all of it.
        state.window = Window::over_index();
    }
    (state.read_only, state.practice) = (options.read_only, options.practice);
    state.contexts = contexts;
    state.attention.wishes = options.attention;
    state.pane = options.start_pane;
    state.mouse = options.mouse;
    state.demand.range = options.range.unwrap_or(state.demand.range);
    state.exports = options.exports.map(|folder| folder.to_string_lossy().into_owned());
    if let Err(why) = app::update::narrow(&mut state, &options.filter) {
        bail!("--filter: {why}");
    }
    state.views = options.views;
    if let Some(view) = &options.view {
        app::update::show_view(&mut state, view);
        state.demand.range = options.range.unwrap_or(state.demand.range);
    }
    app::pane::refresh(&mut state);
    if let Some(cached) = cached {
        // Nothing is on the screen yet, and the loop's first message asks again for all that is wanted of the world.
        app::update::update(&mut state, Message::Cached(cached));
    }
    if let Some(notice) = notice {
        app::update::update(&mut state, Message::Notice(notice));
    }
    if let Some(notice) = state.look.offers.notice.take() {
        app::update::update(&mut state, Message::Notice(notice));
    }
    // A few lines: all of them are in the list of views.
    for problem in state.views.bad.iter().take(3).map(|(_, problem)| line(problem)).collect::<Vec<_>>() {
        app::update::update(&mut state, Message::Notice(format!("a saved view is left out: {problem}")));
    }
    // Under --read-only nobody is there who could carry anything out.
    let journal = options.journal.clone().filter(|_| !options.read_only);
    let operator = journal.map(|journal| {
        Arc::new(Bridge::new(estate.clone(), archive.clone(), past.clone(), journal, options.hand.clone()))
            as Arc<dyn ask::wizard::Operator>
    });
    let verifier = Arc::new(Verifier::new(options.journal, options.hand));
    let feed = Sources::new(estate.clone(), past, archive, verifier.clone()).reading(cache).querying(options.queries);
    let feed = feed.operated(operator).switched(switcher);
    if state.tells_of_deployments() {
        first_piece(&mut state, feed.deployments()).await;
    }
    let taken = match seat.take() {
        Some(seat) => {
            state.mouse = seat.mouse;
            seat
        }
        None => {
            // An answer that nobody waits for is not asked for.
            let offers = &state.look.offers;
            let asks = offers.follows && !offers.plain && ground::can_be_asked(std::env::var_os("TERM").as_deref());
            Seat::take(lasting, flush, asks)?
        }
    };
    let Seat { guard, line, input, notices, terminal, asked, opened, chosen, .. } = taken;
    let mut parts = Parts {
        core: Core { update: app::update::update, draw: ui::draw, wake: app::pane::next_wake, sight: ui::hit::sight, plain: ui::plain },
        state,
        sink: line,
        input,
        notices,
        clock: Wall,
        clipboard,
        feed,
        keeper: Keeper::new(store, estate.sources.len()),
        terminal,
    };
    let end = run::run(&mut parts).await;
    let told = parts.state.look.offers.told;
    if !matches!(end, Ok(End::Switch(_))) {
        // Who leaves at once would find the terminal's answer typed into their shell: it is taken in here.
        if asked && told.is_none() && opened.elapsed() < HASTE && !matches!(end, Ok(End::Leave(signals::HUNG_UP))) {
            tokio::time::sleep(LATE).await;
        }
        parts.sink.close();
        guard.restore();
    }
    // What runs here ends here, and is recorded as that.
    verifier.finish().await;
    parts.keeper.finish().await;
    let Parts { state, sink, input, notices, terminal, .. } = parts;
    let chosen = themes::choice(&state, &opened_with).or(chosen);
    *seat = Some(Seat { guard, line: sink, input, notices, terminal, asked, told, opened, mouse: state.mouse, chosen });
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

/// What the journal proves of backups, and why it proves nothing.
type Proven = (Proofs, Option<String>);

/// Begins to read what the journal proves of backups, where the estate has any: nothing else that the first frame shows is
/// in it.
fn read(estate: &Estate, journal: Option<&PathBuf>) -> Option<JoinHandle<Proven>> {
    let path = journal.filter(|_| estate.sources.iter().any(|source| matches!(source.kind, SourceKind::Backup(_))))?.clone();
    Some(tokio::task::spawn_blocking(move || ask::verify::known(&path)))
}

/// The same where it was read in time. One that is long, or on a slow disk, is read again beside the loop, which is told.
async fn proven(journal: Option<&PathBuf>, reading: Option<JoinHandle<Proven>>) -> Proven {
    if journal.is_none() {
        return (Proofs::default(), Some("there is no folder for it: set HOME or XDG_STATE_HOME".to_owned()));
    }
    if let Some(reading) = reading
        && let Ok(Ok(known)) = tokio::time::timeout(JOURNAL_LIMIT, reading).await
    {
        return known;
    }
    (Proofs::default(), Some(UNREAD.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::tests::bare;

    #[tokio::test(start_paused = true)]
    async fn a_journal_that_is_long_does_not_hold_up_the_first_frame() {
        let path = PathBuf::from("/nonexistent/journal.db");
        assert!(read(&bare(vec![]), Some(&path)).is_none(), "an estate without backups shows nothing of it");
        let hung = tokio::spawn(std::future::pending());
        assert_eq!(proven(Some(&path), Some(hung)).await, (Proofs::default(), Some(UNREAD.to_owned())));
        let mut known = Proofs::default();
        known.upto = 7;
        let done = tokio::spawn(std::future::ready((known.clone(), None)));
        assert_eq!(proven(Some(&path), Some(done)).await, (known, None));
        assert!(proven(None, None).await.1.is_some_and(|why| why.contains("no folder")));
    }
}
