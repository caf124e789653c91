//! One line of a page: name, labels, value, the sample's own time. `prometheus-parse` reads value and time; it does not know
//! escapes, commas, `=` or `}` within label values, quoted names, exemplars, nor that OpenMetrics counts seconds and the
//! text format milliseconds, so those are read here, before it.

use std::borrow::Cow;

use prometheus_parse::LineInfo;

/// Labels of one series; a line with more is not taken.
const LABELS_MOST: usize = 128;

/// What a sample line says.
#[derive(Debug, PartialEq)]
pub(crate) struct Line<'t> {
    /// The metric's name.
    pub name: Cow<'t, str>,
    /// In the order of the line, without the name.
    pub labels: Vec<(Cow<'t, str>, Cow<'t, str>)>,
    /// The value: NaN is one.
    pub value: f64,
    /// The sample's own time as it is written.
    pub time: Option<f64>,
}

/// The name that a line begins with, where it is written without escapes; a quoted one within its braces. `None` for
/// a comment, an empty line and what is none.
pub(crate) fn name(line: &[u8]) -> Option<&[u8]> {
    match line.first()? {
        b'#' => None,
        b'{' => {
            let rest = line[1..].trim_ascii_start().strip_prefix(b"\"")?;
            memchr::memchr(b'"', rest).map(|end| &rest[..end])
        }
        b' ' | b'\t' => name(line.trim_ascii_start()),
        _ => {
            let end = line.iter().position(|byte| matches!(byte, b'{' | b' ' | b'\t' | b'\r')).unwrap_or(line.len());
            (end > 0).then(|| &line[..end])
        }
    }
}

/// Reads a sample line; `Err` says what is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Line<'_>, &'static str> {
    let mut rest = line.trim();
    let end = rest.find(['{', ' ', '\t']).ok_or("it has no value")?;
    let mut name = Cow::Borrowed(&rest[..end]);
    rest = rest[end..].trim_start();
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        loop {
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, after) = match rest.strip_prefix('"') {
                Some(quoted) => text(quoted)?,
                None => {
                    let end = rest.find(['=', ',', '}', ' ', '\t']).ok_or("its labels have no end")?;
                    (Cow::Borrowed(&rest[..end]), &rest[end..])
                }
            };
            let was_quoted = rest.starts_with('"');
            rest = after.trim_start();
            match rest.strip_prefix('=') {
                Some(after) => {
                    let quoted = after.trim_start().strip_prefix('"').ok_or("a label's value is not quoted")?;
                    let (value, after) = text(quoted)?;
                    if labels.len() == LABELS_MOST {
                        return Err("it has too many labels");
                    }
                    labels.push((label, value));
                    rest = after.trim_start();
                }
                None if was_quoted && name.is_empty() && labels.is_empty() => name = label,
                None => return Err("a label has no value"),
            }
            rest = match rest.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if rest.starts_with('}') => rest,
                None => return Err("its labels have no end"),
            };
        }
    }
    if name.is_empty() {
        return Err("it has no name");
    }
    // What comes after `#` is an exemplar.
    let rest = rest.split('#').next().unwrap_or_default().trim();
    let plain = format!("x {rest}");
    let LineInfo::Sample { value, timestamp, .. } = LineInfo::parse(&plain) else { return Err("it has no value") };
    let value = value.parse().map_err(|_| "its value is not a number")?;
    let time = match timestamp {
        Some(time) => Some(time.parse::<f64>().ok().filter(|time| time.is_finite()).ok_or("its time is not a number")?),
        None => None,
    };
    if rest.split_ascii_whitespace().nth(2).is_some() {
        return Err("something stands after its time");
    }
    Ok(Line { name, labels, value, time })
}

/// A text up to its closing quote, and what comes after that. Only `\\`, `\"` and `\n` are escapes.
fn text(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let bytes = quoted.as_bytes();
    let mut out: Option<String> = None;
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[from..]) {
        let at = from + found;
        if bytes[at] == b'"' {
            let value = match out {
                None => Cow::Borrowed(&quoted[..at]),
                Some(out) => Cow::Owned(out + &quoted[from..at]),
            };
            return Ok((value, &quoted[at + 1..]));
        }
        let out = out.get_or_insert_default();
        out.push_str(&quoted[from..at]);
        from = at + 2;
        match bytes.get(at + 1) {
            Some(b'n') => out.push('\n'),
            Some(b'"') => out.push('"'),
            Some(b'\\') => out.push('\\'),
            _ => {
                out.push('\\');
                from = at + 1;
            }
        }
    }
    Err("a quoted text has no end")
}
