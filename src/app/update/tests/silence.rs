//! The wizard of a silence under hands: what is chosen on its first page, that a step back keeps it, and that the end is
//! the same whenever the plan is made.

use super::*;
use crate::app::ask::{Ask as Question, Told, WishOf};
use crate::app::wizard::{Draft, Shown, Standing, Step, Subject, Wizard, dialog, held};
use crate::model::check::Verdict;
use crate::model::plan::Planned;
use crate::model::plan::silence::{self, Ground, Wish};
use crate::model::silence::{Silence, SilenceMatcher, SilenceState, fingerprint};
use crate::model::source::Peer;

const DISK: &[(&str, &str)] = &[("alertname", "DiskFull"), ("device", "sda"), ("instance", "db1:9100"), ("job", "web"), ("service", "web")];
const OTHER: &[(&str, &str)] =
    &[("alertname", "DiskFull"), ("device", "sdb"), ("instance", "db1:9100"), ("job", "web"), ("service", "web")];
const ID: &str = "2b614108-0c1f-4b7a-9c3e-5a1d2f3e4b5c";

fn fires(labels: &[(&str, &str)], state: AlertState) -> Arc<Alert> {
    let mut alert = (*alert(labels, state, 30)).clone();
    alert.fingerprint = fingerprint(&alert.labels).into();
    alert.receivers = vec!["pager".into()];
    if state == AlertState::Silenced {
        alert.silenced_by = vec![ID.into()];
    }
    Arc::new(alert)
}

fn answer(alerts: Vec<Arc<Alert>>) -> AlertmanagerAnswer {
    let peer =
        Peer { url: "http://am1:9093".into(), version: None, cluster: None, error: None, as_of: Some(at(900)), clock_ahead: Some(0) };
    let known = Silence {
        id: ID.into(),
        state: SilenceState::Active,
        matchers: vec![SilenceMatcher::equal("alertname", "DiskFull")],
        starts_at: at(0),
        ends_at: at(4_600),
        created_by: "bob".into(),
        comment: "INC-1".into(),
        seen_by: vec![0],
    };
    let silences = if alerts.iter().any(|one| one.state == AlertState::Silenced) { vec![known] } else { vec![] };
    AlertmanagerAnswer { peers: vec![peer], alerts, silences, ..Default::default() }
}

/// On the Alerts pane, the first alert selected.
fn told(alerts: Vec<Arc<Alert>>) -> (State, AlertmanagerAnswer) {
    let mut state = console();
    let answer = answer(alerts);
    read(&mut state, 0, Answer::Alertmanager(Arc::new(answer.clone())));
    press(&mut state, "2");
    (state, answer)
}

fn two() -> (State, AlertmanagerAnswer) {
    told(vec![fires(DISK, AlertState::Firing), fires(OTHER, AlertState::Firing)])
}

fn key(state: &mut State, keys: &str) -> Vec<Question> {
    let ask = |effect| match effect {
        Effect::Ask(ask) => Some(*ask),
        _ => None,
    };
    press(state, keys)
        .into_iter()
        .filter_map(ask)
        .filter(|ask| matches!(ask, Question::Plan { .. } | Question::Check { .. } | Question::Start { .. }))
        .collect()
}

/// The only plan that is asked for.
fn wish(asked: &[Question]) -> (u64, Wish, String) {
    match asked {
        [Question::Plan { number, wish: WishOf::Silence { source, wish, reason } }] if source == "am" => {
            (*number, wish.clone(), reason.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn wizard(state: &State) -> &Wizard {
    held(state).unwrap()
}

fn draft(state: &State) -> &Draft {
    match &wizard(state).subject {
        Subject::Silence(draft) => draft,
        other => panic!("{other:?}"),
    }
}

fn chosen(state: &State) -> Vec<String> {
    draft(state).matchers().iter().map(|matcher| matcher.name.clone()).collect()
}

fn planned(state: &State, answer: &AlertmanagerAnswer, wish: &Wish, reason: &str) -> Planned {
    let ground = Ground { estate: &state.estate, source: &state.estate.sources[0], answer, now: state.now };
    let plan = silence::plan(&ground, wish, "ann@jump", reason).unwrap();
    let checks = silence::judge(&ground, &plan, None);
    Planned { plan, checks, candidates: vec![] }
}

fn tell(state: &mut State, planned: Planned) {
    let number = wizard(state).number;
    update(state, Message::Told(Box::new(Told::Plan { number, result: Ok(Arc::new(planned)) })));
}

fn moment(of: &Wish) -> Timestamp {
    match of {
        Wish::Mute { until, .. } | Wish::Ack { until, .. } | Wish::Extend { until, .. } => *until,
        Wish::Each { until, .. } => *until,
        Wish::Expire { .. } | Wish::ExpireEach { .. } => panic!("it has no end"),
    }
}

#[test]
fn an_ack_takes_all_labels_and_a_silence_those_of_its_kind_at_its_place() {
    let (mut state, _) = two();
    assert!(key(&mut state, "A").is_empty(), "nothing is asked before a reason is given");
    assert_eq!(chosen(&state), ["alertname", "device", "instance", "job", "service"]);
    assert_eq!((draft(&state).lasts, draft(&state).matched(&state).len()), (0, 1));
    key(&mut state, "space");
    assert!(wizard(&state).said.as_deref().unwrap().contains("nothing else"));
    assert_eq!(chosen(&state).len(), 5);
    press(&mut state, "esc S");
    assert_eq!(chosen(&state), ["alertname", "instance", "service"]);
    assert_eq!(draft(&state).matched(&state).len(), 2);
    press(&mut state, "esc enter A");
    assert_eq!(draft(&state).about, "DiskFull", "from the alert's own page");
}

#[test]
fn a_label_is_taken_in_and_out_and_without_any_it_goes_nowhere() {
    let (mut state, _) = two();
    press(&mut state, "S j space");
    assert_eq!(chosen(&state), ["alertname", "device", "instance", "service"]);
    assert_eq!(draft(&state).matched(&state).len(), 1, "the count is of what is chosen now");
    press(&mut state, "space k space j j space j j space");
    assert!(chosen(&state).is_empty());
    assert!(draft(&state).matched(&state).is_empty(), "none chosen is nothing, and not everything");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::What);
    assert!(wizard(&state).said.as_deref().unwrap().contains("everything"));
}

#[test]
fn back_keeps_the_choices_and_the_end_is_the_same_whenever_the_plan_is_made() {
    let (mut state, known) = two();
    press(&mut state, "S j space + + + + + + - -");
    assert_eq!(draft(&state).lasts, 3);
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Reason);
    press(&mut state, "enter");
    assert_eq!((wizard(&state).step, wizard(&state).said.as_deref()), (Step::Reason, Some("a reason is required")));
    write(&mut state, "disk is replaced");
    let (number, first, reason) = wish(&key(&mut state, "enter"));
    assert_eq!((number, reason.as_str(), wizard(&state).step), (1, "disk is replaced", Step::Impact));
    assert_eq!(moment(&first), at(1_000 + 4 * 3_600));
    let made = planned(&state, &known, &first, &reason);
    tell(&mut state, made);
    let hash = wizard(&state).hash.clone();

    // Looked at again a while later and left as it was: the same plan, and the same end.
    state.now += SignedDuration::from_secs(95);
    press(&mut state, "esc esc");
    assert_eq!((wizard(&state).step, draft(&state).lasts, chosen(&state).len()), (Step::What, 3, 4));
    assert!(key(&mut state, "enter enter").is_empty(), "nothing else is wished");
    assert!(wizard(&state).is_valid(state.now) && wizard(&state).step == Step::Impact && wizard(&state).hash == hash);

    // The plan expires: what is asked for anew has the same end.
    state.now += SignedDuration::from_mins(16);
    let asked = update(&mut state, Message::Tick).into_iter().filter_map(|effect| match effect {
        Effect::Ask(ask) if matches!(*ask, Question::Plan { .. }) => Some(*ask),
        _ => None,
    });
    let (number, again, _) = wish(&asked.collect::<Vec<_>>());
    assert_eq!((number, &again), (2, &first));
    let same = planned(&state, &known, &again, &reason);
    assert_eq!(same.plan.hash(), hash);
    tell(&mut state, same);

    // Another choice is another wish, whose end is counted from then on.
    press(&mut state, "esc esc -");
    let (_, shorter, _) = wish(&key(&mut state, "enter enter"));
    assert_eq!(moment(&shorter), Timestamp::from_second(state.now.as_second() + 2 * 3_600).unwrap());
    // And so is another reason: it stands in the silence.
    press(&mut state, "esc");
    write(&mut state, " today");
    let (_, same, reason) = wish(&key(&mut state, "enter"));
    assert_eq!((same, reason.as_str()), (shorter, "disk is replaced today"));
}

#[test]
fn it_is_confirmed_by_the_phrase_and_nothing_but_its_own_plan_begins() {
    let (mut state, known) = two();
    press(&mut state, "A enter");
    write(&mut state, "on it");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::Ack { alert: fingerprint(&Labels::new(DISK.iter().copied())), until: at(1_000 + 1_800) });
    let made = planned(&state, &known, &wished, &reason);
    tell(&mut state, made);
    let asked = key(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Checks);
    assert!(asked.is_empty(), "they were made with the plan");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm, "{:?}", wizard(&state).said);
    state.wizards.shown = dialog(&state).map(|dialog| Shown { dialog, since: state.now });
    state.now += SignedDuration::from_millis(600);
    let phrase = wizard(&state).plan().unwrap().phrase();
    assert!(key(&mut state, "enter").is_empty());
    let said = wizard(&state).said.clone();
    assert_eq!((wizard(&state).step, said.as_deref()), (Step::Checks, Some("cancelled, one step back: nothing was started")));
    press(&mut state, "enter");
    write(&mut state, "x");
    assert!(wizard(&state).said.as_deref().unwrap().starts_with("too early"), "{:?}", wizard(&state).said);
    state.wizards.shown = dialog(&state).map(|dialog| Shown { dialog, since: state.now });
    state.now += SignedDuration::from_millis(600);
    write(&mut state, "x");
    assert!(wizard(&state).said.as_deref().unwrap().starts_with("nothing was typed: Tab to the line first"));
    press(&mut state, "tab");
    assert_eq!(wizard(&state).said, None, "what it told to do is done");
    phrase.chars().for_each(|c| {
        update(&mut state, Message::Key(Key::char(c)));
    });
    let asked = key(&mut state, "enter");
    let [Question::Start { plan, agreement, .. }] = &asked[..] else { panic!("{asked:?} {:?}", wizard(&state).said) };
    assert_eq!((agreement.phrase.as_str(), agreement.reason.as_str()), (phrase.as_str(), "on it"));
    assert_eq!(plan.hash(), wizard(&state).hash);
}

#[test]
fn a_broad_silence_wants_a_reason_of_its_own_and_the_dead_mans_switch_is_a_block() {
    let many = (0..12).map(|n| {
        let (device, labels) = (format!("sd{n}"), DISK);
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (*name, if *name == "device" { device.as_str() } else { *value })).collect();
        fires(&labels, AlertState::Firing)
    });
    let (mut state, known) = told(many.collect());
    press(&mut state, "S enter");
    write(&mut state, "the array is replaced");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    let made = planned(&state, &known, &wished, &reason);
    tell(&mut state, made);
    press(&mut state, "enter enter");
    assert_eq!(wizard(&state).step, Step::Checks);
    let said = wizard(&state).said.clone().unwrap();
    assert!(said.starts_with("warn") && said.ends_with("; v overrides it, with a reason"), "{said}");
    let open = wizard(&state).open_checks().next().unwrap().id.clone();
    assert_eq!(wizard(&state).check.as_ref(), Some(&open), "what stands in the way is selected");
    while wizard(&state).open_checks().any(|check| check.verdict == Verdict::Warn) {
        let id = wizard(&state).open_checks().next().unwrap().id.clone();
        held_mut_check(&mut state, &id);
        press(&mut state, "v");
        write(&mut state, "all of them are one array");
        press(&mut state, "enter");
    }
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm, "{:?}", wizard(&state).said);

    let (mut state, known) = told(vec![fires(&[("alertname", "Watchdog")], AlertState::Firing)]);
    press(&mut state, "A enter");
    write(&mut state, "it is loud");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    let made = planned(&state, &known, &wished, &reason);
    tell(&mut state, made);
    press(&mut state, "enter enter v");
    assert_eq!(wizard(&state).step, Step::Checks);
    assert!(wizard(&state).said.as_deref().unwrap().contains("cannot be overridden"), "{:?}", wizard(&state).said);
}

fn held_mut_check(state: &mut State, id: &str) {
    crate::app::wizard::held_mut(state).unwrap().check = Some(id.to_owned());
}

#[test]
fn a_silence_that_is_there_is_lengthened_or_ended() {
    let (mut state, known) = told(vec![fires(DISK, AlertState::Silenced)]);
    // What is muted comes last.
    press(&mut state, "G E + space");
    assert!(wizard(&state).said.as_deref().unwrap().contains("keeps its labels"));
    press(&mut state, "enter");
    write(&mut state, "not yet");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::Extend { id: ID.into(), until: at(1_000 + 4 * 3_600) });
    assert!(planned(&state, &known, &wished, &reason).plan.impact.does[0].contains("in place of"));
    press(&mut state, "esc esc esc");
    assert!(held(&state).is_none());
    press(&mut state, "X enter");
    write(&mut state, "it is mended");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::Expire { id: ID.into() });
    assert!(planned(&state, &known, &wished, &reason).plan.phrase().starts_with("silence-2b614108 "));
}

#[test]
fn what_no_alertmanager_has_or_nothing_mutes_opens_nothing() {
    let mut own = (*fires(DISK, AlertState::Firing)).clone();
    own.origin = crate::model::alert::Origin::Prometheus;
    let (mut state, _) = told(vec![Arc::new(own)]);
    press(&mut state, "A S E X");
    assert!(held(&state).is_none());
    let (mut state, _) = two();
    press(&mut state, "E X");
    assert!(held(&state).is_none(), "nothing mutes it");
    let mut hidden = (*fires(DISK, AlertState::Firing)).clone();
    hidden.fingerprint = "0000000000000000".into();
    let (mut state, _) = told(vec![Arc::new(hidden)]);
    press(&mut state, "A");
    assert!(matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("qd plan silence --matcher")));
    let (mut state, _) = two();
    state.read_only = true;
    press(&mut state, "S");
    assert!(matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("--read-only")));
    assert!(key(&mut state, "enter enter r").is_empty());
    press(&mut state, "esc E");
    assert!(held(&state).is_none() && state.said.as_deref().is_some_and(|said| said.contains("--read-only")), "{:?}", state.said);
}

fn expired(id: &str) -> Silence {
    Silence {
        id: id.into(),
        state: SilenceState::Expired,
        matchers: vec![SilenceMatcher::equal("alertname", "Old")],
        starts_at: at(0),
        ends_at: at(500),
        created_by: "bob".into(),
        comment: "ack: known".into(),
        seen_by: vec![0],
    }
}

/// On the list of silences, opened by its key from the Alerts pane.
fn list() -> (State, AlertmanagerAnswer) {
    let (mut state, mut known) = told(vec![fires(DISK, AlertState::Silenced)]);
    known.silences.push(expired("9c1f0d3a-0c1f-4b7a-9c3e-5a1d2f3e4b5c"));
    read(&mut state, 0, Answer::Alertmanager(Arc::new(known.clone())));
    press(&mut state, "s");
    assert!(matches!(state.layers.last(), Some(Layer::Silences(_))), "{:?}", state.layers);
    (state, known)
}

#[test]
fn from_the_list_a_silence_is_ended_or_lengthened_through_the_same_wizard() {
    let (mut state, known) = list();
    let listed = crate::app::silences::selected(&state).unwrap();
    assert_eq!((listed.silence.id.as_str(), listed.mutes), (ID, 1), "what ends first is first, and tells how much it mutes");
    press(&mut state, "X");
    assert_eq!(draft(&state).about, "alertname=\"DiskFull\"");
    press(&mut state, "enter");
    write(&mut state, "it is mended");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::Expire { id: ID.into() });
    assert!(planned(&state, &known, &wished, &reason).plan.phrase().starts_with("silence-2b614108 "));
    press(&mut state, "esc esc esc");
    assert!(matches!(state.layers.last(), Some(Layer::Silences(_))), "back on the list");
    press(&mut state, "E + enter");
    write(&mut state, "not yet");
    let (_, wished, _) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::Extend { id: ID.into(), until: at(1_000 + 4 * 3_600) });
}

#[test]
fn one_that_has_ended_is_told_as_that_and_opens_no_wizard() {
    let (mut state, _) = list();
    press(&mut state, "G X");
    assert!(held(&state).is_none());
    assert_eq!(state.said.as_deref(), Some("end silence: not now, it has ended"));
    press(&mut state, "enter");
    assert_eq!(state.said.as_deref(), Some("it mutes no alert now"));
    press(&mut state, "k enter");
    assert_eq!((state.pane, state.alert_rows.len(), state.layers.len()), (Pane::Alerts, 1, 0), "the alerts that it mutes");
    press(&mut state, "esc");
    assert!(matches!(state.layers.last(), Some(Layer::Silences(_))), "and back to the list");
    state.read_only = true;
    press(&mut state, "X");
    assert!(matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("--read-only")));
}

#[test]
fn the_list_is_filtered_while_it_is_typed_and_the_former_filter_comes_back() {
    let (mut state, _) = list();
    let rows = |state: &State| crate::app::silences::shown(state).unwrap().rows.len();
    assert_eq!(rows(&state), 2);
    press(&mut state, "/");
    update(&mut state, Message::Paste("kind:ack".into()));
    assert_eq!(rows(&state), 1);
    press(&mut state, "enter");
    assert_eq!((rows(&state), state.scope()), (1, crate::app::layer::Scope::Silences));
    press(&mut state, "/ ctrl-u");
    update(&mut state, Message::Paste("colour:red".into()));
    press(&mut state, "enter");
    assert_eq!(state.scope(), crate::app::layer::Scope::Input, "a field that no silence has is not taken");
    press(&mut state, "esc");
    assert_eq!((rows(&state), state.scope()), (1, crate::app::layer::Scope::Silences));
    press(&mut state, "esc");
    assert_eq!(rows(&state), 2);
}

#[test]
fn from_the_palette_and_while_something_is_filled_in() {
    let (mut state, _) = two();
    press(&mut state, "1 :");
    update(&mut state, Message::Paste("all silences".into()));
    press(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Silences(_))));
    assert_eq!(crate::app::silences::empty(&state), "no silence is there, and none ended in the last day");
    press(&mut state, "E X");
    assert!(held(&state).is_none());
}

#[test]
fn an_ack_tells_who_looks_after_the_alert_and_since_when() {
    let (mut state, mut known) = told(vec![fires(DISK, AlertState::Silenced)]);
    known.silences[0].comment = "ack: on it".into();
    known.silences[0].starts_at = at(1_000 - 25 * 60);
    read(&mut state, 0, Answer::Alertmanager(Arc::new(known)));
    let alert = state.view.alerts[0].clone();
    assert_eq!(crate::app::mark::state_cell(&state, &alert).0, "acked 25m");
    press(&mut state, "enter");
    let page = crate::app::page::lines(&state, state.layers.last().unwrap(), 80).1;
    let text: Vec<String> = page.iter().map(|row| format!("{row:?}")).collect();
    assert!(text.iter().any(|row| row.contains("bob 25m ago: on it")), "{text:?}");
}

const SLOW: &[(&str, &str)] = &[("alertname", "Slow"), ("job", "web"), ("service", "web")];

/// Two disks and a slow service, the disks marked.
fn marked(disks: AlertState) -> (State, AlertmanagerAnswer) {
    let (mut state, known) = told(vec![fires(DISK, disks), fires(OTHER, disks), fires(SLOW, AlertState::Firing)]);
    state.show_muted = true;
    crate::app::pane::refresh(&mut state);
    state.marks.all = state.view.alerts.iter().filter(|alert| alert.name() == "DiskFull").cloned().collect();
    (state, known)
}

fn many(state: &State) -> &crate::app::wizard::Many {
    draft(state).many.as_ref().unwrap()
}

#[test]
fn marked_alerts_are_acked_by_one_plan_a_silence_each() {
    let (mut state, known) = marked(AlertState::Firing);
    press(&mut state, "A");
    assert_eq!((draft(&state).about.as_str(), many(&state).silences()), ("2 marked alerts", 2));
    assert!(many(&state).common.is_empty(), "an ack is of one alert each");
    assert_eq!(draft(&state).matched(&state).len(), 2);
    press(&mut state, "space space enter");
    write(&mut state, "both are mine");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert!(matches!(&wished, Wish::Each { alerts, ack: true, .. } if alerts.len() == 2), "{wished:?}");
    let made = planned(&state, &known, &wished, &reason);
    assert!(made.plan.phrase().starts_with("ack-2-alerts "));
    tell(&mut state, made);
    assert_eq!(wizard(&state).plan().unwrap().steps.len(), 2);
    // The world goes on: the same plan as long as the same is wished.
    let (known, hash) = (AlertmanagerAnswer { alerts: known.alerts[..1].to_vec(), ..known }, wizard(&state).hash.clone());
    assert_eq!(planned(&state, &known, &wished, &reason).plan.hash(), hash);
}

#[test]
fn one_silence_is_for_all_marked_only_where_its_labels_are_theirs_alone() {
    let (mut state, _) = marked(AlertState::Firing);
    press(&mut state, "S");
    let names: Vec<&str> = many(&state).common.iter().map(|matcher| matcher.name.as_str()).collect();
    assert_eq!((names, many(&state).silences()), (vec!["alertname", "instance", "job", "service"], 1));
    press(&mut state, "j space");
    assert!(wizard(&state).said.as_deref().unwrap().contains("take it out first"), "{:?}", wizard(&state).said);
    press(&mut state, "k space");
    assert_eq!(many(&state).silences(), 2, "one for each");
    press(&mut state, "j space");
    assert_eq!((many(&state).silences(), draft(&state).matched(&state).len()), (1, 1));
    press(&mut state, "j space enter");
    assert!(wizard(&state).step == Step::What && wizard(&state).said.as_deref().unwrap().contains("none is taken in"));
    press(&mut state, "g space enter");
    write(&mut state, "the array is replaced");
    let (_, wished, _) = wish(&key(&mut state, "enter"));
    assert!(matches!(&wished, Wish::Mute { matchers, .. } if matchers.len() == 4), "{wished:?}");

    // A third disk has the same labels: then each has its own.
    let third = [("alertname", "DiskFull"), ("device", "sdc"), ("instance", "db1:9100"), ("job", "web"), ("service", "web")];
    let (mut state, _) = told(vec![fires(DISK, AlertState::Firing), fires(OTHER, AlertState::Firing), fires(&third, AlertState::Firing)]);
    state.marks.all = state.view.alerts.iter().take(2).cloned().collect();
    press(&mut state, "S");
    assert!(many(&state).common.is_empty() && many(&state).silences() == 2);
}

#[test]
fn what_is_muted_already_is_left_out_and_what_mutes_the_marked_is_ended() {
    let (mut state, known) = marked(AlertState::Silenced);
    press(&mut state, "A enter");
    assert_eq!((many(&state).silences(), wizard(&state).step), (0, Step::What));
    assert_eq!(many(&state).left, ["2 that a silence mutes already"]);
    press(&mut state, "esc E");
    assert!(held(&state).is_none() && state.said.as_deref().is_some_and(|said| said.contains("several are marked")), "{:?}", state.said);
    state.marks.all = state.view.alerts.clone();
    press(&mut state, "X");
    assert_eq!((many(&state).all.len(), many(&state).left.as_slice()), (1, &["1 that no silence mutes".to_owned()][..]), "one mutes both");
    assert_eq!(draft(&state).matched(&state).len(), 2);
    press(&mut state, "enter");
    write(&mut state, "they are in");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    assert_eq!(wished, Wish::ExpireEach { ids: vec![ID.into()] });
    assert!(planned(&state, &known, &wished, &reason).plan.phrase().starts_with("silence-2b614108 "));
}

#[test]
fn one_marked_alert_is_the_one_that_is_meant_wherever_the_cursor_stands() {
    let (mut state, _) = marked(AlertState::Firing);
    state.marks.all.truncate(1);
    let id = state.marks.all[0].fingerprint.to_string();
    for row in ["g", "G"] {
        press(&mut state, &format!("{row} A"));
        assert_eq!((draft(&state).fingerprint.as_str(), draft(&state).many.is_none()), (id.as_str(), true));
        press(&mut state, "esc");
    }
    let mut own = (*fires(SLOW, AlertState::Firing)).clone();
    own.origin = crate::model::alert::Origin::Prometheus;
    let (mut state, _) = told(vec![Arc::new(own), fires(DISK, AlertState::Firing), fires(OTHER, AlertState::Firing)]);
    state.marks.all = state.view.alerts.clone();
    press(&mut state, "A");
    assert_eq!((many(&state).all.len(), many(&state).left.as_slice()), (2, &["1 that no Alertmanager has".to_owned()][..]));
}

#[test]
fn marks_go_once_what_they_were_made_for_has_begun_and_stay_where_it_was_left() {
    let (mut state, known) = marked(AlertState::Firing);
    press(&mut state, "A enter");
    write(&mut state, "both are mine");
    let (_, wished, reason) = wish(&key(&mut state, "enter"));
    let made = planned(&state, &known, &wished, &reason);
    tell(&mut state, made);
    press(&mut state, "esc esc esc");
    assert!(held(&state).is_none());
    assert_eq!(state.marks.all.len(), 2, "it was left");

    press(&mut state, "A enter");
    write(&mut state, "both are mine");
    key(&mut state, "enter");
    crate::app::wizard::held_mut(&mut state).unwrap().standing = Standing::Starting(at(1_000));
    // One more is marked before the answer comes.
    let slow = state.view.alerts.iter().find(|alert| alert.name() != "DiskFull").cloned().unwrap();
    state.marks.all.push(slow.clone());
    let number = wizard(&state).number;
    let failed = Told::Started { number, result: Err("the disk is full".into()) };
    update(&mut state, Message::Told(Box::new(failed)));
    assert_eq!(state.marks.all.len(), 3, "nothing has begun");
    crate::app::wizard::held_mut(&mut state).unwrap().standing = Standing::Starting(at(1_000));
    let begun = Told::Started { number, result: Ok("ack-2-alerts-2026-3f2a".into()) };
    update(&mut state, Message::Told(Box::new(begun)));
    assert_eq!(state.marks.all, [slow], "only those that it was made from");
}
