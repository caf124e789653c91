//! DORA's measures in words, and their page: all services together and each, beside the window before.

use jiff::SignedDuration;

use crate::app::palette::Goal;
use crate::app::wrap::cells;
use crate::model::age;
use crate::model::deployment::dora::{Dora, FEW, Measured, Part, Table};
use crate::model::preferences::Token;

use super::{Page, Row};

/// Columns of a measure's name.
const NAME: usize = 13;

/// The measures of each service, or of this one only, beside those of the window before.
pub(super) fn lines(service: Option<&str>, table: Option<&Table>, mut page: Page) -> Vec<Row> {
    let Some(table) = table else {
        page.text("? being measured", Token::Unknown);
        return page.done();
    };
    let wanted = |row: &&Measured| service.is_none() || row.service.as_deref() == service;
    for row in table.rows.iter().filter(wanted) {
        measured(row, table.days, &mut page);
    }
    if table.rows.is_empty() {
        page.text("? they could not be computed: a defect of qd", Token::Unknown);
    } else if !table.rows.iter().any(|row| wanted(&row)) {
        page.text("no deployment of it is told in both windows", Token::Dim);
    }
    if let Some(since) = table.read_since {
        let since = since.strftime("%Y-%m-%d %H:%MZ");
        page.text(&format!("? too many to measure: only those since {since} are counted; choose fewer days"), Token::Unknown);
    }
    if table.more > 0 {
        page.text(&format!("? {} more services are not told", table.more), Token::Unknown);
    }
    page.head("HOW IT IS COUNTED");
    let how = format!(
        "lead is from the first commit to live. Failed are those with a rollback, a fix or an incident, among those that are a day \
         old or older. Recovery is from live to restored; an open case counts as lasting at least until now. Rework are unplanned \
         fixes. A figure of fewer than {FEW} cases is of few."
    );
    page.text(&how, Token::Dim);
    page.done()
}

fn measured(row: &Measured, days: u16, page: &mut Page) {
    if !page.rows.is_empty() {
        page.rows.push(Row::default());
    }
    let name = row.service.as_deref().unwrap_or("all services");
    let column = page.width.saturating_sub(NAME + 2) / 2;
    let pad = |text: &str, to: usize| " ".repeat(to.saturating_sub(usize::from(cells(text))).max(1));
    let before = format!("the {days} days before");
    if row.service.is_some() {
        page.link(Goal::Service(name.to_owned()));
    }
    let head = vec![
        ("  ".to_owned(), Token::Text),
        (name.to_owned(), Token::Title),
        (pad(name, NAME + column), Token::Text),
        (before, Token::Dim),
    ];
    page.push(head);
    for ((name, now), (_, then)) in short(&row.now, column).into_iter().zip(short(&row.before, column)) {
        let first = format!("  {name:<NAME$}");
        page.push(vec![(first, Token::Dim), (now.clone(), Token::Text), (pad(&now, column), Token::Text), (then, Token::Dim)]);
    }
    let left = [
        (row.now.failed_attempts, if row.now.failed_attempts == 1 { "failed attempt" } else { "failed attempts" }),
        (row.now.unknown, "of unknown result"),
    ];
    let left: Vec<String> = left.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !left.is_empty() {
        page.push(vec![(format!("  {:<NAME$}", "left out"), Token::Dim), (left.join(", "), Token::Text)]);
    }
}

/// The measures in so many columns.
fn short(of: &Dora, columns: usize) -> [(&'static str, String); 5] {
    let time = |time: SignedDuration| if columns >= 50 { age::exact(time) } else { age::coarse(time) };
    let few = |n: usize| if n < FEW { " (few)" } else { "" };
    let share = |part: Part| match part.share() {
        Some(share) => format!("{:.1}% {} of {}{}", 100.0 * share, part.of, part.all, few(part.all)),
        None => "- of none".to_owned(),
    };
    let lead = of.lead.map_or_else(
        || if of.completed == 0 { "- of none" } else { "? no first commit is told" }.to_owned(),
        |lead| format!("{} / {}, n {}{}", time(lead.p50), time(lead.p90), lead.n, few(lead.n)),
    );
    let new = if of.too_new > 0 { format!(", {} too new", of.too_new) } else { String::new() };
    let cases = of.recovery.closed + of.recovery.open;
    let recovery = match (cases, of.recovery.p50) {
        (0, _) => "- of none".to_owned(),
        (_, p50) => {
            let open = of.recovery.longest_open.map_or(String::new(), |longest| format!(", {} open >={}", of.recovery.open, time(longest)));
            format!("{}, n {}{}{open}", p50.map_or_else(|| "?".to_owned(), time), of.recovery.closed, few(of.recovery.closed))
        }
    };
    [
        ("frequency", format!("{:.2}/d {}, n {}", of.per_day, of.pace.word(), of.completed)),
        ("lead p50/p90", lead),
        ("failed", share(of.failed) + &new),
        ("recovery p50", recovery),
        ("rework", share(of.rework)),
    ]
}

/// The measures in words. A share without its count would say more than is known.
pub(super) fn told(of: &Dora) -> Vec<(&'static str, String)> {
    let share = |part: Part| match part.share() {
        Some(share) => format!("{:.1}% ({} of {})", 100.0 * share, part.of, part.all),
        None => "- (of none)".to_owned(),
    };
    let unknown = if of.unknown > 0 { format!(", {} of unknown result", of.unknown) } else { String::new() };
    let new = if of.too_new > 0 { format!(", {} too new to be judged", of.too_new) } else { String::new() };
    let recovery = of.recovery.p50.map_or_else(|| "?".to_owned(), |p50| format!("p50 {}", age::exact(p50)));
    let open = of
        .recovery
        .longest_open
        .map_or(String::new(), |longest| format!(", {} still failing, for {} at least", of.recovery.open, age::exact(longest)));
    let lead = of.lead.map_or_else(
        || "? (no record names a first commit)".to_owned(),
        |lead| format!("p50 {}  p90 {} (n={})", age::exact(lead.p50), age::exact(lead.p90), lead.n),
    );
    vec![
        (
            "frequency",
            format!("{:.2} a day, {} (n={}, failed attempts {}{unknown})", of.per_day, of.pace.word(), of.completed, of.failed_attempts),
        ),
        ("lead time", lead),
        ("failed", format!("{}{new}", share(of.failed))),
        ("recovery", format!("{recovery} (n={}{open})", of.recovery.closed)),
        ("rework", share(of.rework)),
    ]
}
