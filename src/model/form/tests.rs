//! Forms on small rings, by numbers that can be checked by hand.

use super::arithmetic::quantile;
use super::*;
use crate::model::selector::{Matcher, Test};
use crate::model::source::Scrape;

const EVERY: SignedDuration = SignedDuration::from_secs(10);
const OVER: SignedDuration = SignedDuration::from_mins(1);

type One<'a> = (&'a str, &'a str, f64);
type Scraped<'a> = (i64, &'a [One<'a>]);

fn at(secs: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
}

fn ring(scrapes: &[Scraped<'_>]) -> Ring {
    let mut ring = Ring::new(SignedDuration::from_hours(6), 1 << 20);
    for (secs, samples) in scrapes {
        let samples = samples.iter().map(|(name, code, value)| {
            let key = if name.ends_with("_bucket") { "le" } else { "code" };
            (Labels::new([("__name__", *name), (key, *code)]), *value)
        });
        ring.add(&Scrape { at: at(*secs), samples: samples.collect() });
    }
    ring
}

fn selector(metric: &str, code: Option<&str>) -> Selector {
    let matchers = code.map(|code| Matcher { label: "code".into(), test: Test::Equal(code.into()) }).into_iter().collect();
    Selector { text: format!("{metric}{code:?}"), metric: metric.into(), matchers }
}

fn ask(ring: &Ring, shape: Shape, of: Selector, by: Option<Vec<String>>, now: i64) -> PanelAnswer {
    let demand = Demand { range: SignedDuration::from_mins(5), points: 30 };
    answer(ring, &Form { shape, of, by }, at(now), demand, EVERY)
}

fn now(answer: &PanelAnswer) -> Vec<f64> {
    answer.now.iter().map(|sample| sample.value).collect()
}

#[test]
fn a_gap_is_a_gap_a_series_that_left_is_gone_and_nan_is_a_sample() {
    let ring = ring(&[(100, &[("m", "a", 1.0), ("m", "b", 2.0)]), (110, &[("m", "a", f64::NAN)]), (200, &[("m", "a", 3.0)])]);
    let answer = ask(&ring, Shape::Value, selector("m", None), None, 200);
    assert_eq!(now(&answer), [3.0]);
    let plot = answer.plot.unwrap();
    let points =
        |secs: i64| plot.series.iter().map(|s| s.points[((secs - plot.start.as_second()) / plot.step) as usize]).collect::<Vec<_>>();
    assert_eq!(points(90), [None, None]);
    assert_eq!(points(100), [Some(1.0), Some(2.0)]);
    assert!(matches!(points(110)[..], [Some(value), None] if value.is_nan()));
    assert_eq!(points(150), [None, None], "nothing was read for longer than two and a half intervals");
}

#[test]
fn a_reset_adds_the_new_value_and_a_reset_at_every_sample_is_no_negative_rate() {
    let grow: Vec<(i64, [One<'_>; 1])> = [(0, 50.0), (10, 60.0), (20, 5.0), (30, 15.0)].map(|(s, v)| (s, [("m", "a", v)])).to_vec();
    let grow: Vec<Scraped<'_>> = grow.iter().map(|(s, v)| (*s, &v[..])).collect();
    // 10 + 5 + 10 in 30 s, none before the watching began.
    assert_eq!(now(&ask(&ring(&grow), Shape::Rate { over: OVER }, selector("m", None), None, 30)), [25.0 / 30.0]);
    let falls: Vec<(i64, [One<'_>; 1])> = (0..12).map(|i| (i * 10, [("m", "a", 100.0 - i as f64)])).collect();
    let falls: Vec<Scraped<'_>> = falls.iter().map(|(s, v)| (*s, &v[..])).collect();
    let rate = now(&ask(&ring(&falls), Shape::Rate { over: OVER }, selector("m", None), None, 110))[0];
    assert!(rate > 0.0 && rate.is_finite(), "{rate}");
}

#[test]
fn a_rate_of_one_sample_is_none_and_says_why() {
    let one = ring(&[(100, &[("m", "a", 1.0)])]);
    for (shape, what) in [(Shape::Rate { over: OVER }, "a rate"), (Shape::Ratio { to: None, over: OVER }, "a ratio")] {
        let answer = ask(&one, shape, selector("m", None), None, 100);
        assert_eq!((answer.now, answer.notes), (vec![], vec![format!("one sample so far: {what} needs two")]));
    }
    let two = ring(&[(100, &[("m", "a", 1.0)]), (110, &[("m", "a", 2.0)])]);
    let short = Shape::Rate { over: SignedDuration::from_secs(5) };
    assert_eq!(
        ask(&two, short, selector("m", None), None, 110).notes,
        ["one sample in the last 5s: a rate needs two, so `over` must be longer"]
    );
    assert!(ask(&two, Shape::Value, selector("none", None), None, 110).now.is_empty());
}

#[test]
fn ratios_divide_what_was_counted_and_nothing_by_nothing_is_not_a_number() {
    let some = ring(&[(100, &[("m", "200", 0.0), ("m", "500", 0.0)]), (110, &[("m", "200", 90.0), ("m", "500", 10.0)])]);
    let ratio = |to| Shape::Ratio { to, over: OVER };
    assert_eq!(now(&ask(&some, ratio(None), selector("m", Some("500")), None, 110)), [0.1]);
    let to = Some(selector("m", Some("200")));
    assert!((now(&ask(&some, ratio(to), selector("m", Some("500")), None, 110))[0] - 1.0 / 9.0).abs() < 1e-12);
    assert_eq!(now(&ask(&some, ratio(None), selector("m", Some("404")), None, 110)), [0.0], "none of the counted were so");
    let by = Some(vec!["code".to_owned()]);
    assert_eq!(now(&ask(&some, ratio(None), selector("m", Some("500")), by, 110)), [0.0, 1.0]);
    let still = ring(&[(100, &[("m", "500", 5.0)]), (110, &[("m", "500", 5.0)])]);
    let answer = ask(&still, ratio(None), selector("m", Some("500")), None, 110);
    assert!(now(&answer)[0].is_nan() && answer.notes[0].contains("0 / 0"));
}

#[test]
fn quantiles_are_those_of_histogram_quantile() {
    let inf = f64::INFINITY;
    let q = |q: f64, buckets: &[(f64, f64)]| quantile(q, buckets.to_vec());
    assert_eq!(q(0.5, &[(1.0, 10.0), (2.0, 20.0), (inf, 20.0)]), 1.0);
    assert_eq!(q(0.75, &[(1.0, 10.0), (2.0, 20.0), (inf, 20.0)]), 1.5);
    assert_eq!(q(0.99, &[(1.0, 10.0), (inf, 20.0)]), 1.0, "beyond the last finite bound");
    assert_eq!(q(0.5, &[(-1.0, 10.0), (inf, 12.0)]), -1.0);
    assert_eq!(q(0.9, &[(1.0, 10.0), (2.0, 8.0), (inf, 10.0)]), 0.9, "a bucket cannot hold less than the one below");
    assert!(q(0.5, &[(1.0, 10.0), (2.0, 20.0)]).is_nan(), "without +Inf");
    assert!(q(0.5, &[(1.0, 0.0), (inf, 0.0)]).is_nan());
    assert!(q(0.5, &[(1.0, f64::NAN), (inf, 3.0)]).is_nan());
    assert_eq!([q(-1.0, &[]), q(2.0, &[])], [-inf, inf]);
}

#[test]
fn a_histogram_without_infinity_says_so_and_bounds_are_numbers() {
    let of = || selector("h", None);
    let shape = || Shape::Quantile { q: 0.5, over: OVER };
    let told = |le: [&'static str; 3]| {
        let scrape = |n: f64| [("h_bucket", le[0], n), ("h_bucket", le[1], 2.0 * n), ("h_bucket", le[2], 2.0 * n)];
        let (first, second) = (scrape(0.0), scrape(10.0));
        ask(&ring(&[(100, &first), (110, &second)]), shape(), of(), None, 110)
    };
    assert_eq!(now(&told(["1e0", "2", "+Inf"])), [1.0]);
    let answer = told(["1", "2", "3"]);
    assert!(now(&answer)[0].is_nan());
    assert_eq!(answer.notes, ["h_bucket has no bucket with le=\"+Inf\": no quantile can be told"]);
}

#[test]
fn lines_beyond_the_most_are_counted() {
    let names: Vec<String> = (0..300).map(|i| format!("{i:03}")).collect();
    let samples: Vec<(&str, &str, f64)> = names.iter().map(|name| ("m", name.as_str(), 1.0)).collect();
    let answer = ask(&ring(&[(100, &samples)]), Shape::Value, selector("m", None), None, 100);
    assert_eq!(
        (answer.now.len(), answer.now_dropped, answer.plot.unwrap().dropped),
        (300, 0, 100),
        "a plot keeps 200 lines, and each line has its newest value"
    );
    let all = ask(&ring(&[(100, &samples)]), Shape::Value, selector("m", None), Some(vec![]), 100);
    assert_eq!(now(&all), [300.0]);
}
