//! What values of the command line may be.

use jiff::SignedDuration;

use crate::app::layer::Pane;
use crate::model::age;
use crate::model::preferences::KeymapChoice;

/// Which of the keymaps that are built in is the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keys {
    /// With the letters that hands know from vi, besides the arrows.
    Default,
    /// Arrows, function keys, and letters that begin the word they mean.
    Plain,
}

impl From<Keys> for KeymapChoice {
    fn from(keys: Keys) -> KeymapChoice {
        match keys {
            Keys::Default => KeymapChoice::Default,
            Keys::Plain => KeymapChoice::Plain,
        }
    }
}

/// How far back charts may reach: five minutes to a week.
pub(super) fn range(text: &str) -> Result<SignedDuration, String> {
    match age::parse(text)? {
        range if (SignedDuration::from_mins(5)..=SignedDuration::from_hours(7 * 24)).contains(&range) => Ok(range),
        _ => Err("5m at the least and 7d at the most".to_owned()),
    }
}

/// From a second to a week.
pub(in crate::cli) fn span(text: &str) -> Result<SignedDuration, String> {
    match age::parse(text)? {
        span if (SignedDuration::from_secs(1)..=SignedDuration::from_hours(7 * 24)).contains(&span) => Ok(span),
        _ => Err("1s at the least and 7d at the most".to_owned()),
    }
}

/// The panes by their names.
pub(super) fn panes() -> impl clap::builder::TypedValueParser<Value = Pane> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Pane::ALL.map(Pane::name)).map(|name| Pane::named(&name).unwrap_or(Pane::Overview))
}

/// `120x40`. More than a thousand columns or rows is a slip.
pub(super) fn size(text: &str) -> Result<(u16, u16), String> {
    let side = |text: &str| text.parse::<u16>().ok().filter(|n| (1..=1_000).contains(n));
    text.split_once('x')
        .and_then(|(columns, rows)| Some((side(columns)?, side(rows)?)))
        .ok_or_else(|| "write columns and rows, such as 120x40, each from 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_columns_and_rows() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        for bad in ["", "x", "80", "80x", "x24", "0x24", "80x0", "80x24x2", "-1x5", "1001x10", "80 x 24"] {
            assert!(size(bad).is_err(), "{bad} was taken");
        }
    }
}
