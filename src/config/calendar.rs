//! Builds windows, freezes and drills of a file that passed every check.

use jiff::civil::Date;
use toml::Spanned;

use super::raw::calendar::{RawDrill, RawFreeze, RawWindow};
use super::raw::{Raw, Words, text};
use crate::model::age;
use crate::model::calendar::{Calendar, Drill, Freeze, Weekly, Window};

/// What the file says of times; `None` where a check has a hole.
pub(super) fn calendar(raw: &Raw) -> Option<Calendar> {
    Some(Calendar {
        windows: raw.window.iter().map(|w| window(w.get_ref())).collect::<Option<_>>()?,
        freezes: raw.freeze.iter().map(|f| freeze(f.get_ref())).collect::<Option<_>>()?,
        drills: raw.drill.iter().map(|d| drill(d.get_ref())).collect::<Option<_>>()?,
    })
}

fn window(raw: &RawWindow) -> Option<Window> {
    Some(Window { name: text(&raw.name)?.to_owned(), services: words(&raw.services), when: Weekly::parse(text(&raw.when)?).ok()? })
}

fn freeze(raw: &RawFreeze) -> Option<Freeze> {
    let day = |written: &str| written.parse::<Date>().ok();
    Some(Freeze {
        name: text(&raw.name)?.to_owned(),
        services: words(&raw.services),
        from: day(text(&raw.from)?)?,
        to: day(text(&raw.to)?)?,
    })
}

fn drill(raw: &RawDrill) -> Option<Drill> {
    let last = match text(&raw.last) {
        Some(written) => Some(written.parse::<Date>().ok()?),
        None => None,
    };
    Some(Drill {
        name: text(&raw.name)?.to_owned(),
        services: words(&raw.services),
        every: age::parse(text(&raw.every)?).ok()?,
        last,
        backup: text(&raw.backup).map(str::to_owned),
    })
}

fn words(words: &Words) -> Vec<String> {
    words.iter().flat_map(|w| w.get_ref()).map(|word: &Spanned<String>| word.get_ref().clone()).collect()
}
