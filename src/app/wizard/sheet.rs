//! A page of the wizard as lines: the steps and what is to be said above, the page itself, and what stands at the bottom.

use crate::app::page::{Page, Row};
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::wrap::{cells, fit, wrap};
use crate::model::check::Verdict;
use crate::model::preferences::Token;

use super::{Standing, Step, Subject, WIDTH, Wizard, awaited, checks, choose, confirm, impact, reason, service, target, what};

/// A page of the wizard, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// What it is called.
    pub title: String,
    /// The lines above: the steps, what moved, why a key did nothing.
    pub top: Vec<Row>,
    /// The page itself, which may be scrolled.
    pub rows: Vec<Row>,
    /// The line that is kept on the screen.
    pub selected: Option<usize>,
    /// What can be chosen, and the line of `rows` at which each begins.
    pub choices: Vec<(usize, Choice)>,
    /// The line of `rows` after the last of them; the end of the page where `None`.
    pub end: Option<usize>,
    /// The lines that stand at the bottom, always.
    pub foot: Vec<Row>,
}

impl Sheet {
    /// A line that can be chosen; `here` is the one that is selected, and one that is `dim` is not taken in.
    pub(super) fn choice(&mut self, state: &State, width: u16, place: usize, here: bool, dim: bool, text: &str) {
        if here {
            self.selected = Some(self.rows.len());
        }
        let token = match (here, dim) {
            (true, _) => Token::Selected,
            (false, true) => Token::Dim,
            (false, false) => Token::Text,
        };
        let text = format!("{} {text}", if here { '>' } else { ' ' });
        self.choices.push((self.rows.len(), Choice::Label(place)));
        self.rows.push(row(&fit(&text, usize::from(width), state.look.ascii), token));
    }

    /// Lines of `rows` that a body of that height has room for.
    pub fn room(&self, height: usize) -> usize {
        height.saturating_sub(self.top.len() + self.foot.len()).max(1)
    }

    /// The first line shown of `rows`.
    pub fn first(&self, scroll: usize, height: usize) -> usize {
        let room = self.room(height);
        let last = self.rows.len().saturating_sub(room);
        match self.selected {
            // What is said of the selected line stands below it.
            Some(row) => (row + 5).min(self.rows.len()).saturating_sub(room).min(row).min(last),
            None => scroll.min(last),
        }
    }
}

/// The page that is shown.
pub fn sheet(state: &State, of: &Wizard) -> Sheet {
    let width = state.size.0.min(WIDTH);
    let mut sheet = Sheet { title: of.title(), top: top(state, of, width), ..Sheet::default() };
    match &of.standing {
        Standing::Refused(why) => {
            let mut page = Page::new(width);
            page.head("NOT FROM HERE");
            page.text(&state.identity.typed(why), Token::Warning);
            sheet.rows = page.done();
        }
        Standing::Starting(since) => confirm::starting(state, of, *since, width, &mut sheet),
        Standing::Failed(why) => confirm::failed(&state.identity.typed(why), width, &mut sheet),
        Standing::Open => match of.step {
            Step::Target => target::sheet(state, of, width, &mut sheet),
            Step::What => match &of.subject {
                Subject::Silence(draft) => what::sheet(state, draft, width, &mut sheet),
                Subject::Processes(chosen) => service::sheet(state, chosen, width, &mut sheet),
                Subject::Rollback { .. } => {}
            },
            Step::Release => choose::sheet(state, of, width, &mut sheet),
            Step::Impact => impact::sheet(state, of, width, &mut sheet),
            Step::Checks => checks::sheet(state, of, width, &mut sheet),
            Step::Reason => reason::sheet(of, width, &mut sheet),
            Step::Confirm => confirm::sheet(state, of, width, &mut sheet),
        },
    }
    sheet
}

/// The line of steps, and what is to be said before the page.
fn top(state: &State, of: &Wizard, width: u16) -> Vec<Row> {
    let mut spans = Vec::new();
    for (place, step) in of.subject.steps().iter().enumerate() {
        let here = of.step == *step;
        let text = format!("{} {}", place + 1, step.word());
        spans.push((if here { format!("[{text}]") } else { text }, if here { Token::Selected } else { Token::Dim }));
        if *step != Step::Confirm {
            spans.push((" > ".to_owned(), Token::Dim));
        }
    }
    let mut rows = vec![Row { spans, opens: None }];
    let mut say = |text: &str, token| {
        for line in wrap(text, usize::from(width)) {
            rows.push(row(&line, token));
        }
    };
    for what in &of.moved {
        say(&format!("! moved: {what}"), Token::Warning);
    }
    match (&of.standing, &of.problem) {
        (Standing::Open, Some(why)) => say(&format!("X there is no plan: {}", state.identity.typed(why)), Token::Critical),
        (Standing::Open, None) if of.wants || of.asked.is_some() => {
            let since = of.asked.map_or_else(String::new, |at| format!(" ({} s)", state.now.duration_since(at).as_secs().max(0)));
            let who = match (of.subject.service(), awaited(state, of)) {
                (None, _) => "the Alertmanager is asked".to_owned(),
                (Some(_), Some(hosts)) => format!("asking {hosts}"),
                (Some(_), None) => "hosts are asked".to_owned(),
            };
            say(&format!("the plan is being made{since}: {who}; nothing is changed"), Token::Dim);
        }
        _ => {}
    }
    if let Some(why) = &of.said {
        say(&format!("! {}", state.identity.typed(why)), Token::Warning);
    }
    rows
}

/// A line of one text.
pub(super) fn row(text: &str, token: Token) -> Row {
    Row { spans: vec![(text.to_owned(), token)], opens: None }
}

/// A line that is being typed: the end of a long text, and a cursor.
pub(super) fn input(typed: &str, width: u16) -> Row {
    let mut shown = typed;
    while cells(shown) > width.saturating_sub(4) {
        let mut rest = shown.chars();
        rest.next();
        shown = rest.as_str();
    }
    row(&format!("> {shown}_"), Token::Input)
}

/// Glyph, word and token of a verdict.
pub(super) fn verdict(of: Verdict) -> (char, &'static str, Token) {
    let (glyph, token) = match of {
        Verdict::Pass => (' ', Token::Text),
        Verdict::Warn => ('!', Token::Warning),
        Verdict::Unknown => ('?', Token::Unknown),
        Verdict::Block => ('X', Token::Critical),
    };
    (glyph, of.word(), token)
}
