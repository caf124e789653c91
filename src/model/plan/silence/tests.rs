//! What a silence would mute, which of them want a second look, and that the same world makes the same plan.

use std::sync::Arc;

use super::*;
use crate::model::alert::{AlertState, tests::alert};
use crate::model::check::{Check, Verdict};
use crate::model::estate::tests::bare;
use crate::model::label::Labels;
use crate::model::source::Peer;

fn now() -> Timestamp {
    "2026-11-21T01:30:00Z".parse().unwrap()
}

fn hours(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// An alert with the fingerprint and the receivers that a real one has.
fn fires(labels: &[(&str, &str)], state: AlertState) -> Arc<Alert> {
    let mut alert = alert(labels, state, 5);
    let one = Arc::make_mut(&mut alert);
    one.fingerprint = fingerprint(&one.labels).into();
    one.receivers = vec!["pager".into(), "chat".into()];
    alert
}

fn silence(id: &str, matchers: &[&str], ends_at: Timestamp) -> Silence {
    Silence {
        id: id.to_owned(),
        state: SilenceState::Active,
        matchers: matchers.iter().map(|text| SilenceMatcher::parse(text).unwrap()).collect(),
        starts_at: now() - SignedDuration::from_hours(1),
        ends_at,
        created_by: "bob".to_owned(),
        comment: "INC-1".to_owned(),
        seen_by: vec![0, 1],
    }
}

struct Place {
    estate: Estate,
    answer: AlertmanagerAnswer,
}

impl Place {
    fn new(alerts: Vec<Arc<Alert>>, silences: Vec<Silence>) -> Place {
        let urls = vec!["http://am1:9093".to_owned(), "http://am2:9093".to_owned()];
        let source = Source {
            name: "am".into(),
            every: SignedDuration::from_secs(5),
            timeout: SignedDuration::from_secs(5),
            http_config: None,
            service: None,
            site: None,
            kind: SourceKind::Alertmanager { urls: urls.clone(), dead_man: Some(Labels::new([("alertname", "Watchdog")])) },
        };
        let mut estate = bare(vec![source]);
        estate.zone = Some(jiff::tz::TimeZoneDatabase::bundled().get("Europe/Warsaw").unwrap());
        let peer = |url: String| Peer { url, version: None, cluster: None, error: None, as_of: Some(now()), clock_ahead: Some(0) };
        let answer = AlertmanagerAnswer { peers: urls.into_iter().map(peer).collect(), alerts, silences, ..AlertmanagerAnswer::default() };
        Place { estate, answer }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { estate: &self.estate, source: &self.estate.sources[0], answer: &self.answer, now: now() }
    }

    fn plan(&self, wish: &Wish) -> Result<Plan, WishError> {
        plan(&self.ground(), wish, "ann@jump", "disk is being replaced")
    }

    fn muted(&self, matchers: &[&str], until: Timestamp) -> Plan {
        let matchers = matchers.iter().map(|text| SilenceMatcher::parse(text).unwrap()).collect();
        self.plan(&Wish::Mute { matchers, until }).unwrap()
    }

    fn check(&self, plan: &Plan, id: &str) -> Check {
        judge(&self.ground(), plan, None).into_iter().find(|check| check.id == id).unwrap()
    }

    fn verdict(&self, matchers: &[&str], id: &str) -> (Verdict, String) {
        let check = self.check(&self.muted(matchers, hours(2)), id);
        (check.verdict, check.seen)
    }
}

fn two_services() -> Place {
    Place::new(
        vec![
            fires(&[("alertname", "DiskFull"), ("service", "web"), ("host", "a"), ("severity", "critical")], AlertState::Firing),
            fires(&[("alertname", "DiskFull"), ("service", "web"), ("host", "b"), ("severity", "warning")], AlertState::Silenced),
            fires(&[("alertname", "Slow"), ("service", "web"), ("severity", "warning")], AlertState::Firing),
            fires(&[("alertname", "Slow"), ("service", "db"), ("severity", "warning")], AlertState::Firing),
        ],
        vec![],
    )
}

#[test]
fn what_it_mutes_whom_it_does_not_tell_and_when_it_ends_is_told_in_words() {
    let plan = two_services().muted(&["alertname=DiskFull"], hours(3));
    assert_eq!(plan.phrase().split(' ').next(), Some("DiskFull+1"));
    assert_eq!(plan.service.as_deref(), Some("web"));
    assert_eq!(
        plan.impact.does,
        [
            "2 alerts that fire now are muted: 1 critical, 1 warning; DiskFull 2; web 2.",
            "1 of them is muted already.",
            "It lasts until 05:30 Europe/Warsaw, in 3h.",
        ]
    );
    assert_eq!(plan.impact.costs[0], "Not told of them until then: chat, pager.");
    assert_eq!(plan.steps[0].title, "mute alertname=\"DiskFull\" until 2026-11-21 05:30 Europe/Warsaw");
    assert_eq!(plan.evidence[1].from, "am http://am2:9093");
    let another_day = two_services().muted(&["alertname=DiskFull"], hours(23));
    assert!(another_day.impact.does[2].contains("until 2026-11-22 01:30 Europe/Warsaw, in 23h"), "{:?}", another_day.impact.does);
}

#[test]
fn the_same_world_makes_the_same_plan_and_another_count_or_end_another_one() {
    let place = two_services();
    let plan = place.muted(&["alertname=DiskFull"], hours(2));
    let later = Ground { now: now() + SignedDuration::from_secs(40), ..place.ground() };
    let wish = Wish::Mute { matchers: vec![SilenceMatcher::equal("alertname", "DiskFull")], until: hours(2) };
    assert_eq!(super::plan(&later, &wish, "ann@jump", "disk is being replaced").unwrap().hash(), plan.hash());
    assert_ne!(place.muted(&["alertname=DiskFull"], hours(3)).hash(), plan.hash());
    let mut more = two_services();
    more.answer.alerts.push(fires(&[("alertname", "DiskFull"), ("host", "c")], AlertState::Firing));
    assert_ne!(more.muted(&["alertname=DiskFull"], hours(2)).hash(), plan.hash(), "a third one fires");
}

#[test]
fn a_broad_silence_wants_a_reason_of_its_own() {
    let place = two_services();
    let verdict = |matchers: &[&str]| place.verdict(matchers, "broad").0;
    assert_eq!(verdict(&["alertname=DiskFull"]), Verdict::Pass);
    assert_eq!(verdict(&["severity=warning"]), Verdict::Warn, "only a severity");
    assert_eq!(verdict(&["alertname=~Disk.*"]), Verdict::Warn, "no label with one very value");
    assert_eq!(verdict(&["alertname!=DiskFull", "host=\"\"", "job=~.+"]), Verdict::Warn, "an empty value pins nothing");
    let (verdict, why) = place.verdict(&["service=web"], "broad");
    assert_eq!((verdict, why.as_str()), (Verdict::Warn, "all alerts of web match: say why that is meant"));
    assert_eq!(place.verdict(&["service=db"], "broad").0, Verdict::Pass, "one alert is not a whole service");

    let many = |count: usize| {
        let alerts = (0..count).map(|i| fires(&[("alertname", "DiskFull"), ("host", &i.to_string())], AlertState::Firing)).collect();
        Place::new(alerts, vec![])
    };
    assert_eq!(many(10).verdict(&["alertname=DiskFull"], "broad").0, Verdict::Pass);
    let (verdict, why) = many(37).verdict(&["alertname=DiskFull"], "broad");
    assert_eq!((verdict, why.as_str()), (Verdict::Warn, "37 alerts match: say why that is meant"));
    assert!(many(37).muted(&["alertname=DiskFull"], hours(1)).phrase().starts_with("DiskFull+36 "));
}

#[test]
fn the_dead_mans_switch_is_never_muted_whether_it_fires_or_not() {
    let silent = two_services();
    assert_eq!(silent.verdict(&["alertname=~Watch.*"], "dead-man").0, Verdict::Block);
    assert_eq!(silent.verdict(&["severity=none"], "dead-man").0, Verdict::Pass, "nothing says that the switch has it");
    let mut firing = two_services();
    firing.answer.alerts.push(fires(&[("alertname", "Watchdog"), ("severity", "none")], AlertState::Firing));
    let plan = firing.muted(&["severity=none"], hours(1));
    let check = firing.check(&plan, "dead-man");
    assert!(check.verdict == Verdict::Block && !check.overridable);
}

#[test]
fn a_long_one_wants_a_reason_and_a_very_long_one_is_not_made() {
    let place = two_services();
    let verdict = |hours: i64| place.check(&place.muted(&["alertname=DiskFull"], self::hours(hours)), "length").verdict;
    assert_eq!(
        [verdict(1), verdict(24), verdict(25), verdict(168), verdict(169)],
        [Verdict::Pass, Verdict::Pass, Verdict::Warn, Verdict::Warn, Verdict::Block]
    );
    let wish = Wish::Mute { matchers: vec![SilenceMatcher::equal("a", "b")], until: hours(-1) };
    assert!(place.plan(&wish).unwrap_err().to_string().ends_with("is past"));
}

#[test]
fn what_mutes_everything_or_has_no_reason_is_no_plan() {
    let place = two_services();
    for matchers in [vec![], vec![SilenceMatcher::parse("a=~\".*\"").unwrap()]] {
        assert!(matches!(place.plan(&Wish::Mute { matchers, until: hours(1) }), Err(WishError::Wrong(_))));
    }
    let wish = Wish::Mute { matchers: vec![SilenceMatcher::equal("a", "b")], until: hours(1) };
    assert!(super::plan(&place.ground(), &wish, "ann", " \n ").unwrap_err().to_string().contains("say why"));
    let hostile = super::plan(&place.ground(), &wish, "ann\u{1b}[2J", "a\u{202e}b\x07").unwrap();
    assert!(!serde_json::to_string(&hostile).unwrap().contains("u001b"));
    assert!(matches!(&hostile.steps[0].act, Act::Silence { comment, created_by, .. } if comment == "ab" && created_by == "ann[2J"));
}

#[test]
fn an_ack_mutes_one_alert_and_nothing_else() {
    let place = two_services();
    let of = |alert: &str| place.plan(&Wish::Ack { alert: alert.to_owned(), until: now() + ACK });
    let print = place.answer.alerts[0].fingerprint.to_string();
    let plan = of(&print).unwrap();
    assert!(plan.phrase().starts_with("DiskFull "));
    assert_eq!(of(&format!("am/{print}")).unwrap().hash(), plan.hash(), "the console's own name of it");
    let Act::Silence { matchers, comment, .. } = &plan.steps[0].act else { panic!("{plan:?}") };
    assert_eq!((matchers.len(), comment.as_str()), (4, "ack: disk is being replaced"));
    assert_eq!(place.check(&plan, "broad").verdict, Verdict::Pass);
    assert!(of("DiskFull").unwrap_err().to_string().starts_with("2 alerts are named DiskFull"));
    assert!(matches!(of("Nothing"), Err(WishError::Unfound(_))));
}

#[test]
fn an_alert_whose_labels_are_not_as_shown_is_not_acked() {
    let mut odd = alert(&[("alertname", "Odd"), ("path", "a\u{202e}b")], AlertState::Firing, 1);
    // What Alertmanager counted it by holds the character that cleaning took away.
    Arc::make_mut(&mut odd).fingerprint = "9c4f1e2d3a5b6c7d".into();
    let place = Place::new(vec![odd], vec![]);
    let error = place.plan(&Wish::Ack { alert: "Odd".to_owned(), until: hours(1) }).unwrap_err();
    assert!(error.to_string().contains("cannot be shown"), "{error}");
}

#[test]
fn what_is_muted_already_is_told_and_nothing_is_made() {
    let place = Place::new(vec![], vec![silence("2b614108-3973", &["alertname=DiskFull", "site=b"], hours(2))]);
    let plan = place.muted(&["site=b", "alertname=DiskFull"], hours(1));
    assert_eq!(plan.impact.does[0], "Nothing is made: silence 2b614108 mutes the same until 2026-11-21 04:30 Europe/Warsaw.");
    assert!(place.check(&plan, "already").seen.contains("of bob"));
    let longer = place.muted(&["site=b", "alertname=DiskFull"], hours(3));
    assert!(!longer.impact.does[0].contains("Nothing is made"));
}

#[test]
fn a_longer_one_keeps_what_was_said_and_goes_back_to_the_old_end() {
    let place = Place::new(vec![], vec![silence("2b614108-3973", &["alertname=DiskFull"], hours(1))]);
    let plan = place.plan(&Wish::Extend { id: "2b614108".to_owned(), until: hours(4) }).unwrap();
    let Act::Silence { replaces, comment, ends_at, .. } = &plan.steps[0].act else { panic!("{plan:?}") };
    assert_eq!(replaces.as_ref().unwrap(), &Former { id: Some("2b614108-3973".to_owned()), ends_at: hours(1), of: vec![] });
    assert_eq!((comment.as_str(), *ends_at), ("disk is being replaced; before: bob: INC-1", hours(4)));
    let Some(Act::Silence { replaces, ends_at, .. }) = &plan.steps[0].undo else { panic!("{plan:?}") };
    assert_eq!((replaces.as_ref().unwrap(), *ends_at), (&Former { id: None, ends_at: hours(4), of: vec![] }, hours(1)));
    assert!(place.plan(&Wish::Extend { id: "2b614108".to_owned(), until: hours(1) }).is_err(), "it ends then already");
}

#[test]
fn an_end_is_of_one_silence_that_is_still_as_it_was() {
    let place = Place::new(vec![], vec![silence("2b614108-3973", &["a=b"], hours(1)), silence("2b61ffff-1", &["a=c"], hours(1))]);
    let of = |id: &str| place.plan(&Wish::Expire { id: id.to_owned() });
    let plan = of("2b614108").unwrap();
    assert!(plan.phrase().starts_with("silence-2b614108 "));
    assert!(plan.impact.does[0].contains("made by bob because \"INC-1\""));
    assert!(of("2b61").unwrap_err().to_string().contains("write more"));
    assert!(matches!(of("2b"), Err(WishError::Unfound(_))) && matches!(of("ffff"), Err(WishError::Unfound(_))));

    assert_eq!(place.check(&plan, "still").verdict, Verdict::Pass);
    for change in
        [(|s: &mut Silence| s.ends_at = hours(2)) as fn(&mut Silence), |s| s.state = SilenceState::Expired, |s| s.id = "another".to_owned()]
    {
        let mut moved = Place::new(vec![], place.answer.silences.clone());
        change(&mut moved.answer.silences[0]);
        let check = moved.check(&plan, "still");
        assert_eq!(check.verdict, Verdict::Block, "{}", check.seen);
        assert!(judge(&moved.ground(), &plan, Some("R1")).iter().all(|check| check.id != "still"), "its own run did it");
    }
}

#[test]
fn a_peer_that_is_down_wants_a_reason_and_none_is_a_block() {
    let mut place = two_services();
    let plan = place.muted(&["alertname=DiskFull"], hours(1));
    assert_eq!(place.check(&plan, "peers").verdict, Verdict::Pass);
    place.answer.peers[1].error = Some("connection refused".to_owned());
    let check = place.check(&plan, "peers");
    assert!(check.verdict == Verdict::Warn && check.seen.contains("http://am2:9093: connection refused"), "{}", check.seen);
    place.answer.peers[0].error = Some("no".to_owned());
    assert_eq!(place.check(&plan, "peers").verdict, Verdict::Block);
}

#[test]
fn ten_thousand_alerts_make_a_short_text() {
    let alerts = (0..10_000)
        .map(|i| fires(&[("alertname", &format!("A{i}")), ("service", &format!("s{}", i % 300)), ("zone", "x")], AlertState::Firing))
        .collect();
    let plan = Place::new(alerts, vec![]).muted(&["zone=x"], hours(1));
    assert!(plan.impact.does[0].contains("and 9995 more") && plan.impact.does[0].len() < 400, "{}", plan.impact.does[0]);
    assert!(plan.phrase().starts_with("A0+9999 "));
}

#[test]
fn what_is_typed_names_what_is_muted_and_is_easily_typed_whatever_its_name() {
    let subject = |name: &str| {
        let place = Place::new(vec![fires(&[("alertname", name), ("zone", "x")], AlertState::Firing)], vec![]);
        place.muted(&["zone=x"], hours(1)).subject
    };
    assert_eq!(subject("NodeDown"), "NodeDown");
    assert_eq!(subject("the outbox is stuck (at north)"), "the-outbox-is-stuck-at-north");
    assert_eq!(subject("\u{dc}berlauf \u{201c}x\u{201d}"), "berlauf-x");
    assert_eq!(subject("\u{65e5}\u{672c}"), "x", "a name with nothing to type gives way to what is matched");
    assert!(subject(&"a b".repeat(50)).len() <= 32);
    let quiet = Place::new(vec![], vec![]);
    assert_eq!(quiet.muted(&["zone=b", "alertname=~Disk.*"], hours(1)).subject, "Disk.");
}

/// Three disks of one host, each by all its labels.
fn disks() -> (Place, Vec<Which>) {
    let disk = |device: &str| {
        vec![("alertname", "DiskFull"), ("device", device), ("service", "web"), ("severity", "critical")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<Vec<_>>()
    };
    let all: Vec<Vec<(String, String)>> = ["sda", "sdb", "sdc"].into_iter().map(disk).collect();
    let borrowed =
        |of: &Vec<(String, String)>| fires(&of.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), AlertState::Firing);
    let which = all.iter().map(|of| Which::Labels(of.iter().map(|(n, v)| SilenceMatcher::equal(n, v)).collect())).collect();
    let mut alerts: Vec<_> = all.iter().map(borrowed).collect();
    alerts.push(fires(&[("alertname", "Other"), ("service", "web")], AlertState::Firing));
    (Place::new(alerts, vec![]), which)
}

fn made_of(of: &Which, ends_at: Timestamp) -> Silence {
    let Which::Labels(matchers) = of else { panic!("{of:?}") };
    Silence { matchers: matchers.clone(), ..silence("2b614108-0001", &[], ends_at) }
}

#[test]
fn each_of_several_alerts_is_a_step_of_its_own_that_is_taken_back_by_itself() {
    let (place, alerts) = disks();
    let wish = Wish::Each { alerts: alerts.clone(), until: hours(2), ack: true };
    let plan = place.plan(&wish).unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["am/silence-1", "am/silence-2", "am/silence-3"]);
    assert!(plan.phrase().starts_with("ack-3-alerts "), "the phrase names how many: {}", plan.phrase());
    assert_eq!(plan.service.as_deref(), Some("web"));
    assert_eq!(plan.impact.does[0], "3 silences are made, one for each alert and for nothing else.");
    assert!(plan.impact.does[1].starts_with("3 alerts that fire now are muted: 3 critical"), "{:?}", plan.impact.does);
    assert_eq!(plan.impact.costs[0], "Not told of them until then: chat, pager.");
    for (step, which) in plan.steps.iter().zip(&alerts) {
        let (Act::Silence { matchers, comment, .. }, Which::Labels(labels)) = (&step.act, which) else { panic!("{step:?}") };
        assert_eq!((matchers, comment.as_str()), (labels, "ack: disk is being replaced"));
        let Some(Act::ExpireSilence { silence }) = &step.undo else { panic!("{step:?}") };
        assert_eq!((&silence.id, &silence.of), (&None, labels), "one run makes several: what it mutes tells them apart");
    }
    // The same alerts twice, and by name, are the same plan; one that has ended since is muted should it come back.
    let mut twice = alerts.clone();
    twice.extend(alerts.clone());
    assert_eq!(place.plan(&Wish::Each { alerts: twice, until: hours(2), ack: true }).unwrap().hash(), plan.hash());
    let (mut fewer, _) = disks();
    fewer.answer.alerts.remove(1);
    let same = fewer.plan(&wish).unwrap();
    assert_eq!(same.hash(), plan.hash());
    assert!(same.impact.does.contains(&"1 of them does not fire now, and would be muted on coming back.".to_owned()), "{:?}", same.impact);
    let one = Wish::Each { alerts: alerts[..1].to_vec(), until: hours(2), ack: true };
    let Which::Labels(labels) = &alerts[0] else { panic!() };
    assert_eq!(place.plan(&one).unwrap().steps[0].id, "am/silence");
    assert!(matches!(&place.plan(&one).unwrap().steps[0].act, Act::Silence { matchers, .. } if matchers == labels));
}

#[test]
fn what_was_done_of_several_is_left_out_the_next_time() {
    let (mut place, alerts) = disks();
    place.answer.silences.push(made_of(&alerts[0], hours(1)));
    let wish = |until| Wish::Each { alerts: alerts.clone(), until, ack: false };
    let plan = place.plan(&wish(hours(2))).unwrap();
    assert_eq!((plan.steps.len(), plan.subject.as_str()), (2, "silence-2-alerts"));
    assert_eq!(plan.impact.does[1], "1 alert is left out: the same labels are muted already, for at least half of that time.");
    assert_eq!(place.plan(&wish(hours(3))).unwrap().steps.len(), 3, "one that ends long before is no reason");
    place.answer.silences.push(made_of(&alerts[1], hours(2)));
    let last = place.plan(&wish(hours(2))).unwrap();
    assert_eq!((last.steps.len(), last.subject.as_str(), last.steps[0].id.as_str()), (1, "DiskFull", "am/silence"));
    place.answer.silences.push(made_of(&alerts[2], hours(2)));
    let none = place.plan(&wish(hours(2))).unwrap_err();
    assert!(none.to_string().starts_with("3 alerts are muted already"), "{none}");
}

#[test]
fn several_have_one_check_of_a_kind_and_many_want_a_reason() {
    let (mut place, alerts) = disks();
    let plan = place.plan(&Wish::Each { alerts, until: hours(2), ack: false }).unwrap();
    let checks = judge(&place.ground(), &plan, None);
    let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["peers", "length", "dead-man", "broad", "already"]);
    assert!(checks.iter().all(Check::passes), "{checks:?}");
    let many: Vec<Which> = (0..11).map(|n| Which::Labels(vec![SilenceMatcher::equal("host", &format!("h{n}"))])).collect();
    let plan = place.plan(&Wish::Each { alerts: many.clone(), until: hours(2), ack: false }).unwrap();
    let broad = place.check(&plan, "broad");
    assert!(broad.verdict == Verdict::Warn && broad.seen.starts_with("11 silences at once"), "{broad:?}");
    let watchdog = Which::Labels(vec![SilenceMatcher::equal("alertname", "Watchdog")]);
    let plan = place.plan(&Wish::Each { alerts: vec![many[0].clone(), watchdog], until: hours(2), ack: false }).unwrap();
    assert_eq!(place.check(&plan, "dead-man").verdict, Verdict::Block, "one of them is enough");
    let more = (0..=MOST).map(|n| Which::Labels(vec![SilenceMatcher::equal("host", &format!("h{n}"))])).collect();
    let error = place.plan(&Wish::Each { alerts: more, until: hours(2), ack: false }).unwrap_err().to_string();
    assert!(error.starts_with("51 alerts are too many for one plan: 50 at the most"), "{error}");
    place.answer.alerts.clear();
    let unfound = Wish::Each { alerts: vec![Which::Named("DiskFull".into())], until: hours(2), ack: true };
    assert!(matches!(place.plan(&unfound), Err(WishError::Unfound(_))), "a name must fire");
}

#[test]
fn several_silences_end_by_one_plan_and_those_that_ended_are_left_out() {
    let (mut place, alerts) = disks();
    let ids = ["2b614108-0001", "2b614108-0002", "2b614108-0003"];
    for (id, which) in ids.iter().zip(&alerts) {
        place.answer.silences.push(Silence { id: (*id).to_owned(), ..made_of(which, hours(1)) });
    }
    let wish = Wish::ExpireEach { ids: ids.iter().map(|id| (*id).to_owned()).collect() };
    let plan = place.plan(&wish).unwrap();
    assert_eq!((plan.subject.as_str(), plan.steps.len()), ("end-3-silences", 3));
    assert!(plan.steps.iter().all(|step| step.undo.is_none()));
    assert_eq!(plan.impact.does[0], "3 silences end now.");
    assert_eq!(plan.impact.costs, ["chat, pager are told again of what fires."]);
    place.answer.silences[1].ends_at = hours(4);
    let still = place.check(&plan, "still");
    assert!(still.verdict == Verdict::Block && still.seen.starts_with("silence 2b614108: it ends at"), "{still:?}");
    place.answer.silences[0].state = SilenceState::Expired;
    let rest = place.plan(&wish).unwrap();
    assert_eq!((rest.subject.as_str(), rest.steps.len()), ("end-2-silences", 2));
    assert!(rest.impact.does.contains(&"1 silence is left out: ended already.".to_owned()), "{:?}", rest.impact.does);
    place.answer.silences.iter_mut().for_each(|one| one.state = SilenceState::Expired);
    assert!(place.plan(&wish).unwrap_err().to_string().starts_with("3 silences have ended already"));
    assert!(place.plan(&Wish::ExpireEach { ids: vec!["ffff1234".into()] }).is_err(), "one that never was is a mistake");
}
