//! The whole record of a run as Markdown, for a ticket or a postmortem. Text of others cannot make a heading, a link or a
//! line of its own in it.

use std::fmt::Write;

use jiff::Timestamp;

use super::advice::{advice, wants};
use super::known::Liveness;
use super::{Ending, Lease, RunState};
use crate::model::age;
use crate::model::text::{NOTE_CAP, clean};

/// Lines of a step's output that a report has, the last ones.
const OUTPUT: usize = 20;

/// The record of that run. `head` is the head of the journal that it was read from: `COUNT HASH`.
pub fn report(state: &RunState, alive: Liveness, head: &str) -> String {
    let plan = &state.plan;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("# {} of {}: {}", capital(plan.deed.word()), md(&plan.subject), md(&ending(state))));
    line(String::new());
    line(format!("- run: {}", code(&state.run)));
    line(format!("- estate: {}, {}", md(&plan.estate), md(&plan.environment)));
    if let (Some(from), Some(to)) = (&plan.from, &plan.to) {
        line(format!("- release: from {} to {}", md(from), md(to)));
    }
    line(format!("- planned: {} by {}", time(state.planned_at), md(&state.by.name())));
    line(format!("- plan: {}, typed {}", code(&state.hash), code(&plan.phrase())));
    match &state.agreement {
        Some(agreement) => {
            line(format!("- agreed: {}, {} was typed", time(agreement.at), code(&agreement.phrase)));
            line(format!("- reason: {}", md(&agreement.reason)));
            if let Some(why) = &agreement.glass {
                let reviewed = state
                    .reviewed
                    .as_ref()
                    .map_or("not reviewed yet".to_owned(), |(who, note)| format!("reviewed by {}: {}", md(&who.name()), md(note)));
                line(format!("- **the glass was broken**: {}; {reviewed}", md(why)));
            }
        }
        None => line("- agreed: nobody agreed to it".to_owned()),
    }
    if let Some(runner) = &state.runner {
        let begun = state.begun_at.map_or_else(String::new, |at| format!(", begun {}", time(at)));
        line(format!(
            "- runner: process {} on {}, qd {}, {} in all{begun}",
            runner.process.id,
            md(&runner.host),
            md(&state.runner_version),
            state.runners
        ));
    }
    line(format!("- journal: {}", code(head)));
    section(&mut out, "Ending");
    told(&mut out, state, alive);
    let impact = &plan.impact;
    for (head, lines) in [("What it does", &impact.does), ("What it costs", &impact.costs), ("What it does not take back", &impact.keeps)] {
        list(&mut out, head, lines.iter().map(|text| md(text)));
    }
    list(&mut out, "Evidence", plan.evidence.iter().map(|of| format!("{} ({}, {})", md(&of.what), md(&of.from), time(of.as_of))));
    let overrides = state.agreement.as_ref().map_or(&[][..], |agreement| &agreement.overrides);
    let checks = state.checks.iter().map(|check| {
        let over =
            overrides.iter().find(|of| of.check == check.id).map_or_else(String::new, |of| format!("; overridden: {}", md(&of.reason)));
        format!("{} {}: {}{over}", check.verdict.word(), md(&check.id), md(&check.seen))
    });
    list(&mut out, "Checks", checks);
    let leases = plan.targets.iter().zip(&state.leases).filter_map(|(target, lease)| {
        let how = match lease {
            Lease::None => return None,
            Lease::Wanted => "asked for, no answer is recorded".to_owned(),
            Lease::Held(fence) => format!("held, fence {fence}"),
            Lease::Lost(why) => format!("lost: {}", md(why)),
            Lease::Given => "given back".to_owned(),
        };
        Some(format!("{}: {how}", md(&target.name)))
    });
    list(&mut out, "Leases", leases);
    steps(&mut out, state);
    list(
        &mut out,
        "Requests",
        state.requests.iter().map(|(at, who, request)| format!("{} {}: {}", time(*at), md(&who.name()), md(&request.to_string()))),
    );
    out
}

fn told(out: &mut String, state: &RunState, alive: Liveness) {
    let _ = writeln!(out, "{}.", md(&ending(state)));
    if let Some(why) = wants(state, alive) {
        let _ = writeln!(out, "\nA person is wanted: {}.", md(&why));
    }
    let stays = match &state.ended {
        Some((_, Ending::Aborted { stays } | Ending::Failed { stays, .. })) => stays.clone(),
        Some((_, Ending::Done | Ending::Refused { .. })) => Vec::new(),
        None => state.stays(),
    };
    let head = if state.ended.is_some() { "What stays" } else { "What is changed so far" };
    list(out, head, stays.iter().map(|text| md(text)));
    list(out, "Next", advice(state, alive).into_iter().map(|next| format!("{}: {}", code(&next.command), md(&next.means))));
}

fn steps(out: &mut String, state: &RunState) {
    section(out, "Steps");
    out.push_str("| step | what | state | tries | begun | took | said |\n|---|---|---|---|---|---|---|\n");
    for (place, (step, run)) in state.plan.steps.iter().zip(&state.steps).enumerate() {
        let begun = run.since.map_or_else(|| "-".to_owned(), time);
        let took = run.since.zip(run.until).map_or_else(|| "-".to_owned(), |(since, until)| age::exact(until.duration_since(since)));
        let (id, title, said) = (md(&step.id), md(&step.title), md(&run.said));
        let _ = writeln!(out, "| {id} | {title} | {} | {} | {begun} | {took} | {said} |", state.word_of(place), run.attempt);
    }
    for (step, run) in state.plan.steps.iter().zip(&state.steps).filter(|(_, run)| !run.output.is_empty()) {
        let _ = writeln!(out, "\nOutput of {}:\n", md(&step.id));
        // Indented by four it is code, whatever it holds.
        for text in run.output.iter().skip(run.output.len().saturating_sub(OUTPUT)) {
            let _ = writeln!(out, "    {}", clean(text, NOTE_CAP));
        }
    }
}

fn ending(state: &RunState) -> String {
    match &state.ended {
        Some((at, ending)) => format!("{ending}, {}", time(*at)),
        None => format!("not ended, {}", state.phase().word()),
    }
}

fn section(out: &mut String, head: &str) {
    let _ = writeln!(out, "\n## {head}\n");
}

fn list(out: &mut String, head: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    section(out, head);
    for text in lines {
        let _ = writeln!(out, "- {text}");
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Text that Markdown takes as nothing but text.
fn md(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text, NOTE_CAP).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    // A bare address would become a link.
    out.replace("://", ":\\//").replace("www.", "www\\.")
}

/// Text between back quotes: more of them than it holds in a row.
fn code(text: &str) -> String {
    let text = clean(text, NOTE_CAP);
    let (mut most, mut row) = (0, 0);
    for c in text.chars() {
        row = if c == '`' { row + 1 } else { 0 };
        most = most.max(row);
    }
    let fence = "`".repeat(most + 1);
    if most == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::{Check, Override, Verdict};
    use crate::model::run::sample::{Log, actor, at, failed, plan, step};
    use crate::model::run::{Agreement, Call, Happened, Request};

    const HOSTILE: &str = "\u{1b}[31m# x | y\n# head [a](http://evil) <script> `rm` \u{202e}";

    #[test]
    fn the_whole_record_is_there_and_hostile_text_stays_text() {
        let plan = plan(&["web1", "web2"], vec![step("web1/stop"), step("web1/switch")]);
        let mut log = Log::of("web-1", &plan);
        let overrides = vec![Override { check: "disk/web1".into(), reason: "it is a log disk".into() }];
        log.add(Happened::Agreed(Agreement {
            phrase: plan.phrase(),
            reason: HOSTILE.into(),
            overrides,
            glass: Some("freeze".into()),
            at: at(0),
        }));
        log.add(Happened::Begun { resumed: false });
        let check = |id: &str, verdict| Check {
            id: id.into(),
            title: id.into(),
            verdict,
            seen: "4 GB left".into(),
            overridable: true,
            glass: false,
            as_of: at(0),
        };
        log.add(Happened::Checked { checks: vec![check("disk/web1", Verdict::Warn), check("identity/web1", Verdict::Pass)] });
        log.add(Happened::LeaseTaken { target: 0, fence: 7 });
        log.done("web1/stop");
        log.intent("web1/switch", 1, Call::Apply);
        log.add(Happened::Result {
            step: "web1/switch".into(),
            attempt: 1,
            call: Call::Apply,
            end: failed(HOSTILE),
            output: vec!["## not a head".into()],
        });
        log.add(Happened::Asked { step: Some("web1/switch".into()), why: "no".into() });
        log.request(Request::Pause { reason: "lunch".into() });
        let text = report(&log.state(), Liveness::Orphaned, "11 abcdef");
        for part in [
            "web-1",
            "fence 7",
            "overridden: it is a log disk",
            "**the glass was broken**: freeze; not reviewed yet",
            "`11 abcdef`",
            "qd resume web-1",
            "| web1/stop |",
            "lunch",
            "What is changed so far",
            &plan.hash(),
            &actor().name(),
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        assert!(!text.chars().any(|c| c == '\u{1b}' || c == '\u{202e}'));
        assert!(!text.contains("[a](") && !text.contains("<script>") && !text.contains("http://evil"), "{text}");
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert!(heads.iter().all(|head| !head.contains("not a head") && !head.contains("head [")), "{heads:?}");
        let row = text.lines().find(|line| line.starts_with("| web1/switch")).unwrap();
        assert_eq!(row.replace("\\|", "").matches('|').count(), 8, "{row}");
    }
}
