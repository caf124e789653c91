//! How the peers may stand before and after the one write, and what answers of a peer mean. The answers are made up; the
//! same over real Alertmanagers is in `tests/real`.

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const RUN: &str = "1-alert-20261121T140455Z-3f2a";

fn end() -> Timestamp {
    "2036-11-21T16:00:00Z".parse().unwrap()
}

fn earlier() -> Timestamp {
    "2036-11-21T15:00:00Z".parse().unwrap()
}

fn held(id: &str, state: SilenceState, ends_at: Timestamp, comment: &str) -> Held {
    let matchers = vec![Matcher::of(&SilenceMatcher::equal("alertname", "DiskFull"))];
    let (starts_at, created_by) = ("2026-11-21T14:00:00.000Z".to_owned(), "bob".to_owned());
    Held { id: id.to_owned(), matchers, starts_at, ends_at, state, comment: comment.to_owned(), created_by }
}

fn ours(ends_at: Timestamp) -> Held {
    held("ours", SilenceState::Active, ends_at, &format!("a reason {}", mark(RUN)))
}

/// One peer for each: what it has, or that it does not answer.
fn views(peers: &[Option<Vec<Held>>]) -> Vec<View> {
    let told = |held: &Option<Vec<Held>>| held.clone().ok_or_else(|| "connection refused".to_owned());
    peers.iter().enumerate().map(|(i, held)| View { url: format!("http://am{}:9093", i + 1), told: told(held) }).collect()
}

fn matchers() -> Vec<SilenceMatcher> {
    vec![SilenceMatcher::equal("alertname", "DiskFull")]
}

fn mute() -> Act {
    silence(None)
}

fn silence(replaces: Option<Former>) -> Act {
    let (created_by, comment) = ("ann".to_owned(), "a reason".to_owned());
    Act::Silence { replaces, matchers: matchers(), starts_at: None, ends_at: end(), created_by, comment }
}

fn expire(id: Option<&str>) -> Act {
    Act::ExpireSilence { silence: Former { id: id.map(str::to_owned), ends_at: end(), of: vec![] } }
}

fn before(act: &Act, peers: &[Option<Vec<Held>>]) -> String {
    match Situation::of(&views(peers), Want::of(act).unwrap(), RUN) {
        Situation::Settled(CallEnd::Done { seen }) => format!("done: {seen}"),
        Situation::Settled(CallEnd::Refused { why }) => format!("refused: {why}"),
        Situation::Settled(other) => panic!("{other:?}"),
        Situation::Made(id) => format!("made: {id}"),
        Situation::Go(old) => format!("go: {}", old.map(|old| old.id).unwrap_or_default()),
    }
}

fn after(act: &Act, peers: &[Option<Vec<Held>>]) -> Found {
    found(&views(peers), Want::of(act).unwrap(), RUN)
}

#[test]
fn a_silence_is_made_once_for_a_run() {
    let some = || Some(vec![]);
    assert_eq!(before(&mute(), &[some(), some()]), "go: ");
    assert_eq!(before(&mute(), &[None, some()]), "go: ");
    assert_eq!(before(&mute(), &[some(), Some(vec![ours(end())])]), "made: ours", "an earlier try made it");
    assert!(before(&mute(), &[None, None]).starts_with("refused: nothing was sent: am1:9093: connection refused; am2:9093"));
    let same = held("s1", SilenceState::Active, end(), "INC-1");
    assert!(before(&mute(), &[some(), Some(vec![same])]).starts_with("done: it was so already: silence s1 of bob"));
    for other in [
        held("s1", SilenceState::Active, earlier(), ""),
        held("s1", SilenceState::Expired, end(), ""),
        held("s1", SilenceState::Pending, end(), ""),
    ] {
        assert_eq!(before(&mute(), &[Some(vec![other])]), "go: ");
    }
}

#[test]
fn what_is_changed_must_be_as_the_plan_says_on_every_peer_that_answers() {
    let live = |ends_at| held("s1", SilenceState::Active, ends_at, "INC-1");
    let gone = held("s1", SilenceState::Expired, end(), "INC-1");
    for act in [expire(Some("s1")), silence(Some(Former { id: Some("s1".to_owned()), ends_at: end(), of: vec![] }))] {
        assert_eq!(before(&act, &[Some(vec![live(end())]), None]), "go: s1");
        let moved = before(&act, &[Some(vec![live(end())]), Some(vec![gone.clone()])]);
        assert!(moved.contains("someone ended it"), "{moved}");
        let moved = before(&act, &[Some(vec![live(end())]), Some(vec![live(earlier())])]);
        assert!(moved.contains("someone changed it"), "{moved}");
        assert!(before(&act, &[Some(vec![]), Some(vec![])]).starts_with("refused: the silence s1 is gone"));
    }
    let mut other = live(end());
    other.matchers = vec![Matcher::of(&SilenceMatcher::equal("alertname", "Other"))];
    let act = silence(Some(Former { id: Some("s1".to_owned()), ends_at: end(), of: vec![] }));
    assert!(before(&act, &[Some(vec![other])]).contains("does not mute what the plan says"));
}

#[test]
fn taking_back_ends_what_the_run_made_and_nothing_else() {
    let other = held("s9", SilenceState::Active, end(), "[qd another-run]");
    assert_eq!(before(&expire(None), &[Some(vec![other.clone(), ours(end())])]), "go: ours");
    assert!(before(&expire(None), &[Some(vec![other.clone()]), Some(vec![])]).starts_with("done: this run has made no silence"));
    assert!(before(&expire(None), &[Some(vec![other]), None]).starts_with("refused: am2:9093"), "the one that is silent may have it");
    let mut ended = ours(end());
    ended.state = SilenceState::Expired;
    assert!(before(&expire(None), &[Some(vec![ended])]).starts_with("done: silence ours has ended already"));
    assert!(before(&expire(None), &[Some(vec![ours(earlier())])]).contains("someone changed it"));
}

#[test]
fn a_lost_answer_is_decided_by_what_all_peers_say() {
    assert!(matches!(after(&mute(), &[Some(vec![]), Some(vec![])]), Found::NotDone { .. }));
    let untold = after(&mute(), &[Some(vec![]), None]);
    assert!(matches!(&untold, Found::Untold { why } if why.contains("am2:9093: connection refused")), "{untold:?}");
    let done = after(&mute(), &[None, Some(vec![ours(end())])]);
    assert!(matches!(&done, Found::Done { seen } if seen == "silence ours of this run is on am2:9093"), "{done:?}");
    let mut ended = ours(end());
    ended.state = SilenceState::Expired;
    assert!(matches!(after(&mute(), &[Some(vec![ended])]), Found::Moved { .. }));
    let another = held("s1", SilenceState::Active, end(), "the same until the same, by another");
    assert!(matches!(after(&mute(), &[Some(vec![another])]), Found::NotDone { .. }), "another's silence is not this run's");
}

#[test]
fn a_lost_answer_to_an_end_or_a_change_is_decided_likewise() {
    let live = |ends_at| held("s1", SilenceState::Active, ends_at, "INC-1");
    let gone = held("s1", SilenceState::Expired, earlier(), "INC-1");
    let end_it = expire(Some("s1"));
    assert!(matches!(after(&end_it, &[Some(vec![gone.clone()]), None]), Found::Done { .. }));
    assert!(matches!(after(&end_it, &[Some(vec![gone.clone()]), Some(vec![live(end())])]), Found::Underway { .. }));
    assert!(matches!(after(&end_it, &[Some(vec![live(end())]), Some(vec![live(end())])]), Found::NotDone { .. }));
    assert!(matches!(after(&end_it, &[Some(vec![live(end())]), None]), Found::Untold { .. }));
    assert!(matches!(after(&end_it, &[Some(vec![])]), Found::Moved { .. }));

    let longer = silence(Some(Former { id: Some("s1".to_owned()), ends_at: earlier(), of: vec![] }));
    assert!(matches!(after(&longer, &[Some(vec![live(earlier())])]), Found::NotDone { .. }));
    assert!(matches!(after(&longer, &[Some(vec![gone.clone()])]), Found::Moved { .. }), "it was ended, and none made in its place");
    assert!(matches!(after(&longer, &[Some(vec![gone, ours(end())])]), Found::Done { .. }), "another was made in its place");
}

async fn peer(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let none = ResponseTemplate::new(200).set_body_raw("[]", "application/json");
    Mock::given(method("GET")).and(path("/api/v2/silences")).respond_with(none).mount(&server).await;
    Mock::given(method("POST")).and(path("/api/v2/silences")).respond_with(answer).mount(&server).await;
    server
}

async fn posts(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().iter().filter(|request| request.method.as_str() == "POST").count()
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_never_sent_to_another_peer() {
    let said = |status: u16| ResponseTemplate::new(status).set_body_string("no\x1b[2J");
    for (answer, kind) in
        [(said(400), "failed"), (said(302), "failed"), (said(401), "refused"), (said(500), "unknown"), (said(504), "unknown")]
    {
        let (one, two) = (peer(answer).await, peer(ResponseTemplate::new(200)).await);
        let peers = Peers::at(vec![one.uri(), two.uri()], None);
        let permit = Permit::mint(RUN, "am/silence", 1, None, "1 a");
        let called = apply(&peers, permit, &mute(), Instant::now() + Duration::from_secs(30)).await;
        let (told, why) = match &called.end {
            CallEnd::Failed { why } => ("failed", why),
            CallEnd::Refused { why } => ("refused", why),
            CallEnd::Unknown { why } => ("unknown", why),
            CallEnd::Done { seen } => ("done", seen),
        };
        assert_eq!(told, kind, "{why}");
        assert!(!why.contains('\u{1b}'));
        assert_eq!((posts(&one).await, posts(&two).await), (1, 0), "{why}");
    }
}

#[test]
fn what_a_peer_says_is_read_whole_or_not_at_all() {
    let real = include_bytes!("../../../tests/fixtures/alertmanager/silences.json");
    let read = held::silences(real).unwrap();
    assert_eq!((read[0].id.as_str(), read[0].comment.as_str()), ("2b614108-3973-457e-994b-50e6c3c79695", "INC-1"));
    let text = String::from_utf8_lossy(real);
    for (from, to) in [("2b614108-", "../2b614108"), ("\"active\"", "\"new\""), ("\"endsAt\":\"", "\"endsAt\":\"x")] {
        assert!(text.contains(from));
        assert!(held::silences(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    assert_eq!(held::made(br#"{"silenceID":"2b614108-3973"}"#).as_deref(), Some("2b614108-3973"));
    assert_eq!(held::made(br#"{"silenceID":"../x"}"#), None);
    assert_eq!(held::made(b"<html>"), None);
}

#[tokio::test]
async fn a_dry_run_says_what_a_call_would_find_and_sends_nothing() {
    let (one, two) = (peer(ResponseTemplate::new(200)).await, peer(ResponseTemplate::new(200)).await);
    let peers = Peers::at(vec![one.uri(), two.uri()], None);
    assert!(matches!(foresee(&peers, &mute()).await, Found::NotDone { .. }));
    let gone = foresee(&peers, &expire(Some("2b614108"))).await;
    assert!(!matches!(gone, Found::NotDone { .. }), "{gone:?}");
    assert!(matches!(foresee(&peers, &Act::Run { argv: vec!["true".into()] }).await, Found::Untold { .. }));
    assert_eq!((posts(&one).await, posts(&two).await), (0, 0));
    let silent = Peers::at(vec!["http://127.0.0.1:1".to_owned()], None);
    assert!(matches!(foresee(&silent, &mute()).await, Found::Moved { seen } if seen.contains("nothing was sent")));
}

#[test]
fn two_silences_of_one_run_are_told_apart_by_what_they_mute() {
    let other = vec![SilenceMatcher::equal("alertname", "Other")];
    let (created_by, comment) = ("ann".to_owned(), "a reason".to_owned());
    let second = Act::Silence { replaces: None, matchers: other.clone(), starts_at: None, ends_at: end(), created_by, comment };
    let (some, first) = (|| Some(vec![]), || Some(vec![ours(end())]));
    assert_eq!(before(&mute(), &[first(), some()]), "made: ours");
    assert_eq!(before(&second, &[first(), some()]), "go: ", "the first one is not the second");
    assert!(matches!(after(&second, &[first(), first()]), Found::NotDone { .. }));
    // Taking the second back leaves the first one alone.
    let back = |of: Vec<SilenceMatcher>| Act::ExpireSilence { silence: Former { id: None, ends_at: end(), of } };
    assert!(before(&back(other.clone()), &[first(), first()]).starts_with("done: this run has made no silence"));
    assert_eq!(before(&back(matchers()), &[first(), first()]), "go: ours");
    let mut mine = ours(end());
    mine.id = "second".to_owned();
    mine.matchers = other.iter().map(Matcher::of).collect();
    assert_eq!(before(&back(other), &[Some(vec![ours(end()), mine])]), "go: second");
}
