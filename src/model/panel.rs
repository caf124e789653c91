//! What is drawn and what is judged: panels, what they ask of their sources, and Quarterdeck's own rules.

use std::fmt;

use jiff::SignedDuration;

use super::age;
use super::estate::Severity;
use super::metric::Demand;
use super::selector::Selector;

/// What a panel's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A bare number.
    #[default]
    Count,
    /// 0 to 1, shown as per cent.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes, shown in powers of 1024.
    Bytes,
    /// Events per second.
    PerSecond,
    /// Seconds since the epoch: a moment, shown as its age.
    Moment,
}

impl Unit {
    /// The word of the estate file.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Ratio => "ratio",
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::PerSecond => "per-second",
            Unit::Moment => "moment",
        }
    }
}

/// One metric that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// The service whose health it tells; its source's where the file says nothing.
    pub service: Option<String>,
    /// The site whose health it tells; its source's.
    pub site: Option<String>,
    /// The source that answers it.
    pub source: String,
    /// What is asked of the source.
    pub ask: Ask,
    /// What the numbers are.
    pub unit: Unit,
    /// From here on it is a warning.
    pub warn: Option<f64>,
    /// From here on it is critical.
    pub critical: Option<f64>,
}

/// What a panel asks of its source.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Of a Prometheus. `$window` stands for a rate window that is never too short for the scrape interval.
    Promql(String),
    /// Of an exposition or a probe: computed here, from the samples that are kept.
    Form(Form),
}

impl fmt::Display for Ask {
    /// As a person would write it: PromQL, or the nearest to it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ask::Promql(query) => f.write_str(query),
            Ask::Form(Form { shape, of, by }) => {
                let by = by.as_ref().map_or(String::new(), |by| format!(" by ({})", by.join(", ")));
                match shape {
                    Shape::Value => write!(f, "{}{by}", of.text),
                    Shape::Rate { over } => write!(f, "rate({}[{}]){by}", of.text, age::exact(*over)),
                    Shape::Ratio { to: None, over } => {
                        write!(f, "share of {} in all {} over {}{by}", of.text, of.metric, age::exact(*over))
                    }
                    Shape::Ratio { to: Some(to), over } => write!(f, "{} / {} over {}{by}", of.text, to.text, age::exact(*over)),
                    Shape::Quantile { q, over } => write!(f, "quantile {q} of {} over {}{by}", of.text, age::exact(*over)),
                }
            }
        }
    }
}

/// A computation on kept samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Which.
    pub shape: Shape,
    /// Which samples.
    pub of: Selector,
    /// The labels that lines are told apart by, lines being summed within them. `None`: a value and a rate keep every
    /// series apart; a ratio and a quantile are one line.
    pub by: Option<Vec<String>>,
}

/// Which computation.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// The samples as they are.
    Value,
    /// A counter's increase per second, resets minded.
    Rate {
        /// Over so much time.
        over: SignedDuration,
    },
    /// One counter's increase divided by another's.
    Ratio {
        /// The other; `of` without its matchers where `None`.
        to: Option<Selector>,
        /// Over so much time.
        over: SignedDuration,
    },
    /// A quantile of a histogram's increase, by linear interpolation within its buckets as `histogram_quantile` does.
    Quantile {
        /// From 0 to 1.
        q: f64,
        /// Over so much time.
        over: SignedDuration,
    },
}

/// `over` of a form where the estate file says nothing.
pub const OVER: SignedDuration = SignedDuration::from_mins(1);

/// A judgement of Quarterdeck's own on each line of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name: the `alertname` of its findings.
    pub name: String,
    /// The panel that it judges.
    pub panel: String,
    /// When its condition holds.
    pub when: When,
    /// For how long it must hold before the finding fires.
    pub holds: SignedDuration,
    /// How bad its findings are: `Warning` or `Critical`.
    pub severity: Severity,
}

/// When a rule's condition holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// The value is above this.
    Above(f64),
    /// The value is below this.
    Below(f64),
    /// The value is the time of the newest event (seconds since the epoch), and that is longer ago than this.
    OlderThan(SignedDuration),
    /// At the pace of the last hour the value reaches `full` within this time: from below, or from above where
    /// [`Panel::falls_to`] says so.
    FullWithin {
        /// The value that is full.
        full: f64,
        /// The time that must be left.
        within: SignedDuration,
    },
}

/// How far back rules look, whatever range the screen shows.
const JUDGED: SignedDuration = SignedDuration::from_hours(1);
/// Points of the plot that they are judged by.
const JUDGED_POINTS: u16 = 240;

/// The plot that the rules on this panel are judged by: of the last hour, longer where a rule's `for` is. It is no
/// matter of what a screen shows, so that all who look find the same. `None` where no rule looks back.
pub fn judged(rules: &[Rule], panel: &str) -> Option<Demand> {
    let looks_back = |rule: &&Rule| rule.panel == panel && !matches!(rule.when, When::OlderThan(_));
    let range = rules.iter().filter(looks_back).map(|rule| rule.holds.max(JUDGED)).max()?;
    Some(Demand { range, points: JUDGED_POINTS })
}

impl Panel {
    /// True where low values are the bad ones: `critical` is below `warn`.
    pub(super) fn low_is_bad(&self) -> bool {
        matches!((self.warn, self.critical), (Some(w), Some(c)) if c < w)
    }

    /// True where a rule's `full` is reached from above, as by what is left of something: where low values are the bad
    /// ones, and where nothing is left at `full`.
    pub fn falls_to(&self, full: f64) -> bool {
        self.low_is_bad() || full <= 0.0
    }

    /// True where a threshold says what a value means.
    pub fn is_limited(&self) -> bool {
        self.warn.is_some() || self.critical.is_some()
    }

    /// What a value means by this panel's thresholds; NaN means nothing and is `Unknown`.
    /// A `critical` below `warn` says that low values are the bad ones.
    pub fn judge(&self, value: f64) -> Severity {
        if value.is_nan() {
            return Severity::Unknown;
        }
        let low_is_bad = self.low_is_bad();
        let over = |limit: Option<f64>| limit.is_some_and(|l| if low_is_bad { value <= l } else { value >= l });
        match (over(self.critical), over(self.warn)) {
            (true, _) => Severity::Critical,
            (_, true) => Severity::Warning,
            _ => Severity::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(warn: Option<f64>, critical: Option<f64>) -> Panel {
        Panel {
            name: "p".into(),
            service: None,
            site: None,
            source: "s".into(),
            ask: Ask::Promql("up".into()),
            unit: Unit::Count,
            warn,
            critical,
        }
    }

    #[test]
    fn thresholds_work_in_both_directions() {
        let high = panel(Some(1.0), Some(5.0));
        assert_eq!([0.5, 1.0, 5.0].map(|v| high.judge(v)), [Severity::Ok, Severity::Warning, Severity::Critical]);
        let low = panel(Some(10.0), Some(5.0));
        assert_eq!([11.0, 10.0, 5.0].map(|v| low.judge(v)), [Severity::Ok, Severity::Warning, Severity::Critical]);
        assert_eq!(panel(None, None).judge(1e9), Severity::Ok);
        assert_eq!(high.judge(f64::NAN), Severity::Unknown);
        assert_eq!(high.judge(f64::INFINITY), Severity::Critical);
    }
}
