//! That what is copied names what is looked at, and that its filter leaves it.

use super::*;
use crate::app::filter::Filter;
use crate::model::alert::AlertState;
use crate::model::alert::tests::alert;
use jiff::Timestamp;

#[test]
fn the_filter_of_an_alert_leaves_it_whatever_its_labels_hold() {
    let one = alert(&[("alertname", "it's \"bad\" \\ x"), ("service", "a b"), ("weird.name", "x"), ("z", "")], AlertState::Firing, 0);
    let filter = alert::filter(&one);
    assert!(filter.starts_with("alertname="), "{filter}");
    assert!(Filter::parse(&filter).unwrap().matches(&*one, Timestamp::UNIX_EPOCH), "{filter}");
    let other = alert(&[("alertname", "it's \"bad\" \\ x"), ("service", "a c"), ("z", "")], AlertState::Firing, 0);
    assert!(!Filter::parse(&filter).unwrap().matches(&*other, Timestamp::UNIX_EPOCH));
    let long = "v".repeat(600);
    let many = alert(&[("alertname", "A"), ("a", &long), ("b", &long)], AlertState::Firing, 0);
    assert!(alert::filter(&many).len() <= FILTER_CAP);
}

#[test]
fn an_exact_field_is_a_filter_whatever_the_name_holds() {
    for name in ["web", "a.b (c)", "it's \"x\"", "a\\b", "[x"] {
        Filter::parse(&exactly("name", name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
