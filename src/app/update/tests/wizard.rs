//! The wizard under hands: every step and every way back, what never confirms, and the world moving meanwhile.

use super::*;
use crate::app::ask::{Ask as Question, Told, WishOf};
use crate::app::wizard::{AGAIN, Focus, GOOD_FOR, Shown, Standing, Step, Wizard, confirm, dialog, held};
use crate::model::check::{Check, Override, Verdict};
use crate::model::plan::sample::{check, rollback};
use crate::model::plan::{Act, Plan as Deed, Planned};
use crate::model::run::Agreement;

const HOSTS: [&str; 2] = ["web1", "web2"];

fn key(state: &mut State, keys: &str) -> Vec<Question> {
    asked(press(state, keys))
}

fn rollback_to(number: u64, to: Option<&str>) -> Question {
    Question::Plan { number, wish: WishOf::Rollback { service: "web".into(), to: to.map(str::to_owned), without: vec![] } }
}

fn asked(effects: Vec<Effect>) -> Vec<Question> {
    let ask = |effect| match effect {
        Effect::Ask(ask) => Some(*ask),
        _ => None,
    };
    effects.into_iter().filter_map(ask).filter(|ask| !matches!(ask, Question::Deployments(_) | Question::DeploymentCount { .. })).collect()
}

fn tell(state: &mut State, told: Told) -> Vec<Question> {
    asked(update(state, Message::Told(Box::new(told))))
}

fn pass(state: &mut State, millis: i64) -> Vec<Question> {
    state.now += SignedDuration::from_millis(millis);
    asked(update(state, Message::Tick))
}

fn wizard(state: &State) -> &Wizard {
    held(state).unwrap()
}

fn plan(state: &mut State, planned: Planned) -> Vec<Question> {
    let number = wizard(state).number;
    tell(state, Told::Plan { number, result: Ok(Arc::new(planned)) })
}

fn checks(state: &mut State, checks: Vec<Check>) -> Vec<Question> {
    let number = wizard(state).number;
    tell(state, Told::Checks { number, checks })
}

/// As the session does it once a frame of this state was written.
fn draw(state: &mut State) {
    let since = state.now;
    let same = dialog(state).is_some_and(|dialog| state.wizards.shown.is_some_and(|shown| shown.dialog == dialog));
    if !same {
        state.wizards.shown = dialog(state).map(|dialog| Shown { dialog, since });
    }
}

fn sample(state: &State, to: &str) -> Planned {
    rollback(to, &HOSTS, state.now)
}

/// A console whose service lies on hosts.
fn served() -> State {
    let mut state = console();
    let estate = Arc::make_mut(&mut state.estate);
    crate::model::operations::tests::lay(estate, "web", &HOSTS);
    state
}

/// On the first step, with a plan.
fn opened() -> State {
    let mut state = served();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    let all = key(&mut state, "R");
    assert_eq!(all, [rollback_to(1, None)]);
    let planned = sample(&state, "2.4.0");
    assert!(plan(&mut state, planned).is_empty());
    state
}

/// In the dialog, before it was drawn.
fn at_dialog() -> State {
    let mut state = opened();
    press(&mut state, "enter enter enter enter");
    assert_eq!(wizard(&state).step, Step::Reason);
    write(&mut state, "errors since 14:02");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm, "{:?}", wizard(&state).said);
    state
}

/// In the dialog, which is on the screen long enough.
fn ready() -> State {
    let mut state = at_dialog();
    draw(&mut state);
    pass(&mut state, 600);
    state
}

fn phrase(state: &State) -> String {
    wizard(state).plan().unwrap().phrase()
}

#[test]
fn it_is_opened_on_a_service_from_wherever_one_is_selected() {
    let mut state = served();
    let mut other = (*firing("A", 30)).clone();
    other.labels = Labels::new([("alertname", "A"), ("job", "other")]);
    read(&mut state, 0, alertmanager(vec![Arc::new(other)]));
    press(&mut state, "2 R");
    assert!(held(&state).is_none(), "this alert is of no service");
    let mut of_web = (*firing("B", 10)).clone();
    of_web.labels = Labels::new([("alertname", "B"), ("job", "web")]);
    read(&mut state, 0, alertmanager(vec![Arc::new(of_web)]));
    // It has taken the place of the one that was read, and is read itself.
    state.now += crate::app::update::keys::SLID;
    assert_eq!(key(&mut state, "R").len(), 1);
    assert_eq!(wizard(&state).subject.name(), "web");
    assert_eq!(key(&mut state, "esc"), [Question::Close]);
    assert_eq!(key(&mut state, "enter R").len(), 1, "from the alert's own page");
    press(&mut state, "esc esc :");
    write(&mut state, "rollback web");
    assert!(
        matches!(&key(&mut state, "enter")[..], [Question::Plan { wish: WishOf::Rollback { service, .. }, .. }] if service == "web"),
        "from the palette"
    );
    press(&mut state, "esc 1");
    let row = state.overview_rows.iter().position(|row| *row == OverviewRow::Service(0)).unwrap();
    state.overview.list.row = row;
    assert_eq!(key(&mut state, "R").len(), 1, "from the Overview");
}

#[test]
fn a_screen_has_one_zone_for_the_end_of_another_silence_too() {
    let mut state = served();
    Arc::make_mut(&mut state.estate).zone = Some(TimeZone::get("Europe/Warsaw").unwrap());
    let plan = sample(&state, "2.4.0").plan;
    let seen = "silence 2b614108 of bób mutes the same until 2026-11-21 05:30 Europe/Warsaw: nothing is made; Europe/Warsaw";
    state.look.zone = ZoneChoice::Utc;
    let told = crate::app::when::in_zone(&state, &plan, seen);
    assert_eq!(told, "silence 2b614108 of bób mutes the same until 2026-11-21 04:30Z: nothing is made; Europe/Warsaw");
    state.look.zone = ZoneChoice::Estate;
    assert!(crate::app::when::in_zone(&state, &plan, seen).contains("until 2026-11-21 05:30 CET:"));
}

#[test]
fn the_action_is_on_no_key_that_is_pressed_by_accident() {
    assert_eq!(Action::Rollback.entry().danger, Danger::Production);
    assert_eq!(Action::BreakGlass.entry().danger, Danger::Production);
    let map = keymap();
    for (scope, _) in Scope::ALL {
        for action in
            [Action::Rollback, Action::Processes, Action::BreakGlass, Action::Ack, Action::Silence, Action::Extend, Action::Expire]
        {
            assert_eq!(action.entry().danger, Danger::Production);
            assert!(map.key_for(scope, action).is_none_or(|key| may_run(key.first, Danger::Production)));
        }
    }
    for scope in [Scope::Wizard, Scope::Reason, Scope::Confirm] {
        for key in ["ctrl-d", "ctrl-k", "delete"] {
            assert_eq!(map.find(scope, key.parse().unwrap()), None, "{key} in {scope:?}");
        }
    }
}

#[test]
fn read_only_says_why_and_asks_nothing() {
    let mut state = console();
    state.read_only = true;
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    assert!(key(&mut state, "R").is_empty());
    assert!(
        matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("--read-only") && why.contains("qd plan rollback web"))
    );
    assert!(key(&mut state, "enter enter r v B enter").is_empty());
    assert!(key(&mut state, "esc").is_empty(), "nothing was made ready");
    assert!(matches!(&state.layers[..], [Layer::Service { .. }]));
}

#[test]
fn each_step_goes_on_and_back_and_keeps_what_was_chosen() {
    let mut state = opened();
    assert_eq!(wizard(&state).step, Step::Target);
    press(&mut state, "enter j");
    assert_eq!(wizard(&state).picked.as_deref(), Some("2.3.1"));
    press(&mut state, "esc enter");
    assert_eq!(wizard(&state).picked.as_deref(), Some("2.3.1"), "the selection is kept");
    let all = key(&mut state, "enter");
    assert_eq!(all, [rollback_to(2, Some("2.3.1"))]);
    assert_eq!(wizard(&state).step, Step::Impact);
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Impact, "not before that plan is there");
    let stale = rollback("2.4.0", &HOSTS, state.now);
    tell(&mut state, Told::Plan { number: 1, result: Ok(Arc::new(stale)) });
    assert!(wizard(&state).asked.is_some(), "an answer to an older question is dropped");
    let planned = sample(&state, "2.3.1");
    plan(&mut state, planned);
    press(&mut state, "enter enter");
    write(&mut state, "slow since noon");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm);
    for step in [Step::Reason, Step::Checks, Step::Impact, Step::Release, Step::Target] {
        assert!(key(&mut state, "esc").is_empty());
        assert_eq!(wizard(&state).step, step);
    }
    let of = wizard(&state);
    assert_eq!((of.reason.as_str(), of.to.as_deref(), of.picked.as_deref()), ("slow since noon", Some("2.3.1"), Some("2.3.1")));
    assert!(key(&mut state, "enter enter enter enter enter").is_empty(), "the same choice makes no other plan");
    assert_eq!(wizard(&state).step, Step::Confirm);
    assert_eq!(key(&mut state, "esc esc esc esc esc esc"), [Question::Close]);
    assert!(held(&state).is_none());
}

#[test]
fn nothing_is_asked_of_the_world_before_the_confirmation_but_plans_and_checks() {
    let mut state = ready();
    let mut all = Vec::new();
    for _ in 0..20 {
        let new = pass(&mut state, 3_000);
        all.extend(new.clone());
        if !new.is_empty() {
            let same = sample(&state, "2.4.0").checks;
            checks(&mut state, same);
        }
    }
    assert!(all.len() >= 3 && all.iter().all(|ask| matches!(ask, Question::Check { number: 1, .. })), "{all:?}");
    assert_eq!(wizard(&state).step, Step::Confirm);
}

#[test]
fn a_release_that_a_host_lacks_cannot_be_chosen() {
    let mut state = opened();
    assert!(key(&mut state, "enter G enter").is_empty());
    assert_eq!(wizard(&state).step, Step::Release);
    assert!(wizard(&state).said.as_ref().unwrap().contains("not on web2"));
}

#[test]
fn the_deployment_and_the_difference_are_looked_at_on_top_of_it() {
    let mut state = super::deployments::deployed(0);
    super::deployments::told_by(&mut state, vec![(60, "2.4.0".into()), (30, "2.5.0".into())]);
    let service = state.view.deployments.all[0].service.clone();
    crate::model::operations::tests::lay(Arc::make_mut(&mut state.estate), &service, &HOSTS);
    super::super::wizard::open_on(&mut state, service);
    update(&mut state, Message::Tick);
    let planned = sample(&state, "2.4.0");
    plan(&mut state, planned);
    press(&mut state, "enter o");
    assert!(matches!(state.layers.last(), Some(Layer::Deployment { deployment, .. }) if deployment.to.as_deref() == Some("2.4.0")));
    press(&mut state, "esc d");
    let Some(Layer::Diff { from: Some(from), to, .. }) = state.layers.last() else { panic!("{:?}", wizard(&state).said) };
    assert_eq!((from.to.as_deref(), to.to.as_deref()), (Some("2.5.0"), Some("2.4.0")));
    press(&mut state, "esc");
    assert_eq!(wizard(&state).step, Step::Release, "and it is as it was");
}

// Hosts that are left out.

fn without(number: u64, hosts: &[&str]) -> Question {
    let without = hosts.iter().map(|host| (*host).to_owned()).collect();
    Question::Plan { number, wish: WishOf::Rollback { service: "web".into(), to: None, without } }
}

/// The plan without a host, as it is made: with a warning for it.
fn left_out(state: &State, host: &str) -> Planned {
    let others: Vec<&str> = HOSTS.into_iter().filter(|one| *one != host).collect();
    let mut planned = rollback("2.4.0", &others, state.now);
    planned.doubt(crate::model::plan::Doubt::left_out(host));
    planned
}

#[test]
fn the_host_that_is_dead_is_left_out_before_there_is_any_plan_and_the_others_go_back() {
    let mut state = served();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    assert_eq!(key(&mut state, "R"), [without(1, &[])]);
    tell(&mut state, Told::Plan { number: 1, result: Err("web2: no route to host; a host can be left out".into()) });
    assert!(key(&mut state, "enter").is_empty(), "nothing goes on without a plan");
    assert!(wizard(&state).said.as_ref().unwrap().contains("leave out the host"), "{:?}", wizard(&state).said);
    assert_eq!(key(&mut state, "j space"), [without(2, &["web2"])]);
    assert!(key(&mut state, "k space").is_empty(), "one must stay");
    assert!(wizard(&state).said.as_ref().unwrap().contains("one host must stay"));
    let planned = left_out(&state, "web2");
    plan(&mut state, planned.clone());
    press(&mut state, "enter enter enter");
    checks(&mut state, planned.checks.clone());
    let asked = pass(&mut state, 11_000);
    let again = WishOf::Rollback { service: "web".into(), to: Some("2.4.0".into()), without: vec!["web2".into()] };
    assert!(matches!(&asked[..], [Question::Check { wish, .. }] if *wish == again), "the checks are made without it: {asked:?}");
    checks(&mut state, planned.checks);
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Checks, "it is passed over knowingly, or not at all");
    assert!(wizard(&state).said.as_ref().unwrap().contains("web2 takes part"), "{:?}", wizard(&state).said);
    press(&mut state, "v");
    write(&mut state, "its rack has no power");
    press(&mut state, "enter enter");
    assert_eq!(wizard(&state).step, Step::Reason);
    write(&mut state, "errors");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm);
    draw(&mut state);
    pass(&mut state, 600);
    let phrase = phrase(&state);
    press(&mut state, "tab");
    write(&mut state, &phrase);
    let started = key(&mut state, "enter");
    let [Question::Start { agreement, plan, .. }] = &started[..] else { panic!("{started:?} {:?}", wizard(&state).said) };
    assert_eq!(plan.impact.left_out().collect::<Vec<_>>(), ["web2"]);
    assert_eq!(agreement.overrides, [Override { check: "left-out/web2".into(), reason: "its rack has no power".into() }]);
}

#[test]
fn a_host_is_taken_in_again_and_what_was_agreed_to_without_it_is_gone() {
    let mut state = opened();
    assert_eq!(key(&mut state, "G space"), [without(2, &["web2"])]);
    let planned = left_out(&state, "web2");
    plan(&mut state, planned);
    press(&mut state, "enter enter enter v");
    write(&mut state, "dead");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).overrides.len(), 1);
    press(&mut state, "esc esc esc");
    assert_eq!(wizard(&state).step, Step::Target);
    assert_eq!(key(&mut state, "space"), [without(3, &[])]);
    let planned = sample(&state, "2.4.0");
    plan(&mut state, planned);
    assert_eq!((wizard(&state).overrides.len(), wizard(&state).subject.without().len()), (0, 0));
}

#[test]
fn an_answer_about_other_hosts_than_are_wanted_now_is_dropped() {
    let mut state = opened();
    key(&mut state, "space");
    let whole = sample(&state, "2.4.0");
    tell(&mut state, Told::Plan { number: 1, result: Ok(Arc::new(whole)) });
    press(&mut state, "enter enter enter");
    assert_eq!(wizard(&state).step, Step::Impact, "the plan without it is not there yet");
}

#[test]
fn what_each_host_answered_is_known_before_the_plan_is_there() {
    let mut state = served();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    key(&mut state, "R");
    tell(&mut state, Told::Heard { number: 1, host: "web1".into(), end: Ok(()) });
    tell(&mut state, Told::Heard { number: 9, host: "web2".into(), end: Ok(()) });
    assert_eq!(wizard(&state).heard.keys().collect::<Vec<_>>(), ["web1"], "what is told of another question is dropped");
    key(&mut state, "j space");
    assert!(wizard(&state).heard.is_empty(), "a new question begins anew");
    let planned = left_out(&state, "web2");
    plan(&mut state, planned);
    tell(&mut state, Told::Heard { number: 2, host: "web1".into(), end: Err("late".into()) });
    assert!(wizard(&state).heard.is_empty(), "nobody is asked any more");
}

#[test]
fn r_is_about_the_service_of_a_panel_and_says_why_where_nothing_can_go_back() {
    let why = |state: &State| match &wizard(state).standing {
        Standing::Refused(why) => why.clone(),
        other => panic!("{other:?}"),
    };
    let mut state = served();
    assert_eq!(key(&mut state, "3 R"), [rollback_to(1, None)], "the selected panel is of web");
    key(&mut state, "esc");
    key(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { .. })));
    assert_eq!(key(&mut state, "R"), [rollback_to(2, None)], "so is the one on the full screen");
    let mut state = console();
    assert_eq!(key(&mut state, "3 R"), []);
    assert!(why(&state).contains("the service `web` has no release folders: add a [[history]]"), "{}", why(&state));
    assert_eq!(key(&mut state, "enter enter"), []);
    key(&mut state, "esc");
    assert!(held(&state).is_none());
    Arc::make_mut(&mut state.estate).panels[0].service = None;
    pane::refresh(&mut state);
    assert_eq!(key(&mut state, "g R"), []);
    assert!(why(&state).contains("belongs to none"), "{}", why(&state));
    state.layers.clear();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    assert_eq!(key(&mut state, "R"), []);
    assert!(why(&state).contains("No rollback of web is possible"), "from the service's page too");
}

// The checks.

fn warned(state: &State) -> Vec<Check> {
    vec![
        check("identity/web1", Verdict::Pass, "same", state.now),
        check("disk/web1", Verdict::Warn, "92 % used", state.now),
        check("disk/web2", Verdict::Warn, "95 % used", state.now),
    ]
}

fn at_checks(of: fn(&State) -> Vec<Check>) -> State {
    let mut state = opened();
    press(&mut state, "enter enter enter");
    let told = of(&state);
    checks(&mut state, told);
    assert_eq!(wizard(&state).step, Step::Checks);
    state
}

#[test]
fn what_stands_in_the_way_is_read_first_and_no_row_moves_while_the_page_is_open() {
    let mut state = opened();
    press(&mut state, "enter enter");
    let mut told = warned(&state);
    checks(&mut state, told.clone());
    press(&mut state, "enter");
    let order = |state: &State| wizard(state).checks.iter().map(|check| check.id.clone()).collect::<Vec<_>>();
    assert_eq!(order(&state), ["disk/web1", "disk/web2", "identity/web1"]);
    told[0].verdict = Verdict::Block;
    told[1].verdict = Verdict::Pass;
    checks(&mut state, told);
    assert_eq!(order(&state), ["disk/web1", "disk/web2", "identity/web1"]);
    press(&mut state, "esc enter");
    assert_eq!(order(&state), ["identity/web1", "disk/web2", "disk/web1"]);
}

#[test]
fn each_warning_is_overridden_by_itself_with_a_reason() {
    let mut state = at_checks(warned);
    press(&mut state, "enter");
    assert!(wizard(&state).said.as_ref().unwrap().contains("warn"), "it stands in the way");
    press(&mut state, "v enter");
    assert_eq!(wizard(&state).overrides, [], "an empty reason overrides nothing");
    press(&mut state, "v");
    write(&mut state, "logs are rotated at 15:00");
    press(&mut state, "esc");
    assert_eq!(wizard(&state).overrides, [], "and one that was left neither");
    press(&mut state, "v");
    write(&mut state, "rotated soon");
    press(&mut state, "enter enter");
    assert_eq!(wizard(&state).step, Step::Checks, "the other is still in the way");
    press(&mut state, "j v");
    assert_eq!(wizard(&state).check.as_deref(), Some("disk/web2"));
    write(&mut state, "same disk");
    press(&mut state, "enter enter");
    assert_eq!(wizard(&state).step, Step::Reason);
    let over = |check: &str, reason: &str| Override { check: check.into(), reason: reason.into() };
    assert_eq!(wizard(&state).overrides, [over("disk/web1", "rotated soon"), over("disk/web2", "same disk")]);
    press(&mut state, "esc v ctrl-u enter");
    assert_eq!(wizard(&state).overrides.len(), 1, "an empty line withdraws it");
}

#[test]
fn an_override_ends_where_the_warning_became_worse() {
    let mut state = at_checks(warned);
    press(&mut state, "v");
    write(&mut state, "x");
    press(&mut state, "enter");
    let mut told = warned(&state);
    checks(&mut state, told.clone());
    assert_eq!(wizard(&state).overrides.len(), 1, "the same warning is the same");
    told[1].verdict = Verdict::Unknown;
    told[1].overridable = true;
    checks(&mut state, told);
    assert_eq!(wizard(&state).overrides, []);
}

#[test]
fn blocks_and_unknowns_are_not_overridden_and_no_check_at_all_is_no_pass() {
    for (verdict, glass) in [(Verdict::Block, false), (Verdict::Unknown, false)] {
        let mut state = at_checks(|_| vec![]);
        press(&mut state, "enter");
        assert_eq!(wizard(&state).step, Step::Checks);
        assert!(wizard(&state).said.as_ref().unwrap().contains("no check was made"));
        let mut one = check("lease/web1", verdict, "held by another", state.now);
        one.glass = glass;
        checks(&mut state, vec![one]);
        press(&mut state, "v");
        assert_eq!(wizard(&state).typing, None);
        press(&mut state, "B");
        assert_eq!(wizard(&state).typing, None, "there is no glass to break");
        press(&mut state, "enter");
        assert_eq!(wizard(&state).step, Step::Checks);
    }
}

fn frozen(state: &State) -> Vec<Check> {
    let mut freeze = check("freeze", Verdict::Block, "year end, until Jan 2", state.now);
    freeze.glass = true;
    vec![freeze, check("disk/web1", Verdict::Warn, "92 % used", state.now)]
}

#[test]
fn glass_is_broken_with_a_reason_and_only_for_what_asks_for_it() {
    let mut state = at_checks(frozen);
    press(&mut state, "v");
    assert!(wizard(&state).said.as_ref().unwrap().contains("the glass is broken for it"));
    press(&mut state, "B enter");
    assert_eq!(wizard(&state).glass, None, "not without a reason");
    press(&mut state, "B");
    write(&mut state, "checkout is down");
    press(&mut state, "enter enter");
    assert_eq!(wizard(&state).glass.as_deref(), Some("checkout is down"));
    assert_eq!(wizard(&state).step, Step::Checks, "a warning is not settled by it");
}

#[test]
fn checks_are_made_anew_every_ten_seconds_and_one_at_a_time() {
    let mut state = at_checks(warned);
    assert!(pass(&mut state, AGAIN.as_millis() as i64 - 1).is_empty());
    assert!(matches!(pass(&mut state, 1)[..], [Question::Check { number: 1, .. }]));
    assert!(pass(&mut state, 20_000).is_empty(), "one is under way");
    let told = warned(&state);
    checks(&mut state, told);
    assert!(matches!(key(&mut state, "r")[..], [Question::Check { .. }]), "or at once by a key");
    press(&mut state, "esc esc esc");
    assert!(pass(&mut state, 60_000).is_empty(), "on other steps they are not");
}

#[test]
fn old_checks_do_not_let_it_pass() {
    let mut state = ready();
    pass(&mut state, GOOD_FOR.as_millis() as i64 + 1);
    press(&mut state, "tab");
    let whole = phrase(&state);
    write(&mut state, &whole);
    assert!(key(&mut state, "enter").iter().all(|ask| !matches!(ask, Question::Start { .. })));
    assert!(wizard(&state).said.as_ref().unwrap().contains("too old"));
}

#[test]
fn a_check_that_fails_in_the_dialog_leads_back_and_the_phrase_is_gone() {
    let mut state = ready();
    press(&mut state, "tab");
    let whole = phrase(&state);
    write(&mut state, &whole);
    let told = warned(&state);
    checks(&mut state, told);
    assert_eq!((wizard(&state).step, wizard(&state).confirm.typed.as_str()), (Step::Checks, ""));
    assert!(wizard(&state).moved[0].contains("warn"), "{:?}", wizard(&state).moved);
}

// The dialog: promise 13.

#[test]
fn the_focus_starts_on_cancel_and_enter_there_goes_back() {
    let mut state = ready();
    assert_eq!(wizard(&state).confirm.focus, Focus::Cancel);
    assert!(key(&mut state, "enter").is_empty());
    assert_eq!(wizard(&state).step, Step::Reason);
    press(&mut state, "enter");
    let before = wizard(&state).confirm.clone();
    assert_eq!((before.focus, before.typed.as_str()), (Focus::Cancel, ""));
    assert_eq!(state.wizards.dialogs, 2, "it is another dialog");
}

#[test]
fn enter_alone_never_confirms_however_often() {
    let mut state = ready();
    press(&mut state, "tab");
    for _ in 0..20 {
        assert!(key(&mut state, "enter").is_empty());
    }
    assert!(wizard(&state).said.as_ref().unwrap().contains("this is not the phrase"));
    assert_eq!(wizard(&state).standing, Standing::Open);
}

#[test]
fn only_the_whole_phrase_confirms_and_it_carries_all_that_was_agreed_to() {
    let mut state = ready();
    let phrase = phrase(&state);
    assert!(phrase.starts_with("web ") && phrase.len() == 10);
    write(&mut state, &phrase);
    assert_eq!(wizard(&state).confirm.typed, "", "on Cancel nothing is typed");
    press(&mut state, "tab");
    for typed in [&phrase[..9], &format!("{phrase}x"), "web", "WEB 4f2a91"] {
        press(&mut state, "ctrl-u");
        write(&mut state, typed);
        assert!(key(&mut state, "enter").is_empty(), "{typed}");
    }
    press(&mut state, "ctrl-u");
    write(&mut state, &phrase);
    let mut all = key(&mut state, "enter");
    let Some(Question::Start { number: 1, plan, agreement }) = all.pop() else { panic!("{all:?} {:?}", wizard(&state).said) };
    assert_eq!(plan.phrase(), phrase);
    let at = state.now;
    assert_eq!(agreement, Agreement { phrase, reason: "errors since 14:02".into(), overrides: vec![], glass: None, at });
    assert_eq!(wizard(&state).standing, Standing::Starting(state.now));
    assert!(key(&mut state, "enter enter tab enter esc").is_empty(), "once");
}

#[test]
fn keys_before_the_dialog_is_drawn_and_in_its_first_moments_are_ignored() {
    let mut state = at_dialog();
    let whole = phrase(&state);
    let attempt = |state: &mut State| {
        press(state, "tab");
        write(state, &whole);
        key(state, "enter")
    };
    assert!(attempt(&mut state).is_empty());
    assert_eq!((wizard(&state).confirm.focus, wizard(&state).confirm.typed.as_str()), (Focus::Cancel, ""), "not drawn");
    pass(&mut state, 5_000);
    assert!(attempt(&mut state).is_empty());
    assert_eq!(wizard(&state).confirm.focus, Focus::Cancel, "still not drawn, however long");
    draw(&mut state);
    pass(&mut state, confirm::DEAF.as_millis() as i64 - 1);
    assert!(attempt(&mut state).is_empty());
    assert_eq!((wizard(&state).confirm.focus, wizard(&state).step), (Focus::Cancel, Step::Confirm));
    pass(&mut state, 1);
    assert!(matches!(attempt(&mut state)[..], [Question::Start { .. }]));
}

#[test]
fn a_dialog_that_was_covered_or_is_another_has_its_first_moments_again() {
    let mut state = ready();
    press(&mut state, "f1");
    draw(&mut state);
    assert_eq!(state.wizards.shown, None);
    press(&mut state, "esc tab");
    assert_eq!(wizard(&state).confirm.focus, Focus::Cancel);
    draw(&mut state);
    pass(&mut state, 600);
    press(&mut state, "tab");
    assert_eq!(wizard(&state).confirm.focus, Focus::Phrase);
    press(&mut state, "esc enter tab");
    assert_eq!(wizard(&state).confirm.focus, Focus::Cancel, "the one on the screen is not this one");
    let mut state = ready();
    update(&mut state, Message::Resize(40, 10));
    assert_eq!(dialog(&state), None, "too small to show it");
}

#[test]
fn a_paste_never_confirms() {
    let mut state = ready();
    press(&mut state, "tab");
    let whole = phrase(&state);
    update(&mut state, Message::Paste(whole));
    assert_eq!(wizard(&state).confirm.typed, "");
    assert!(wizard(&state).said.as_ref().unwrap().contains("pastes do not count"));
    assert!(key(&mut state, "enter").is_empty());
    press(&mut state, "esc");
    update(&mut state, Message::Paste(" and more\x1b[31m\n".into()));
    assert_eq!(wizard(&state).reason, "errors since 14:02 and more[31m", "a reason may be pasted");
}

#[test]
fn a_reason_is_required() {
    let mut state = opened();
    press(&mut state, "enter enter enter enter");
    write(&mut state, "   ");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Reason);
    assert!(wizard(&state).said.as_ref().unwrap().contains("required"));
}

// The world moving.

fn moved_to_impact(state: &State, part: &str) {
    let of = wizard(state);
    assert_eq!((of.step, of.confirm.typed.as_str()), (Step::Impact, ""));
    assert!(of.moved.iter().any(|line| line.contains(part)), "{:?}", of.moved);
    assert_eq!(of.reason, "errors since 14:02", "the reason is kept");
}

fn typed() -> State {
    let mut state = ready();
    press(&mut state, "tab");
    write(&mut state, "web 12");
    state
}

#[test]
fn another_plan_of_the_same_question_invalidates_the_one_that_is_confirmed() {
    let mut state = typed();
    let old = phrase(&state);
    let same = sample(&state, "2.4.0");
    plan(&mut state, same);
    assert_eq!((wizard(&state).step, wizard(&state).confirm.typed.as_str()), (Step::Confirm, "web 12"), "the same plan is the same");
    let mut other = sample(&state, "2.4.0");
    for step in &mut other.plan.steps {
        if let Act::SwitchLink { from, .. } = &mut step.act {
            *from = "releases/2.5.1".into();
        }
    }
    plan(&mut state, other);
    moved_to_impact(&state, "web1 runs releases/2.5.1 now, and ran releases/2.5.0");
    assert_ne!(phrase(&state), old);
    press(&mut state, "enter enter enter");
    draw(&mut state);
    pass(&mut state, 600);
    press(&mut state, "tab");
    write(&mut state, &old);
    assert!(key(&mut state, "enter").is_empty(), "the old phrase confirms nothing");
}

#[test]
fn what_was_overridden_for_another_plan_is_asked_again() {
    let mut state = at_checks(warned);
    press(&mut state, "v");
    write(&mut state, "x");
    press(&mut state, "enter");
    let mut other = sample(&state, "2.4.0");
    other.plan.steps.pop();
    plan(&mut state, other);
    assert_eq!(wizard(&state).overrides, []);
    assert!(wizard(&state).moved[0].contains("7 steps now, and had 8"), "{:?}", wizard(&state).moved);
}

#[test]
fn a_plan_that_cannot_be_made_any_more_stops_it() {
    let mut state = typed();
    let number = wizard(&state).number;
    tell(&mut state, Told::Plan { number, result: Err("web2 cannot be reached".into()) });
    moved_to_impact(&state, "cannot be made any more");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Impact);
    assert!(matches!(key(&mut state, "r")[..], [Question::Plan { number: 2, .. }]), "r tries again");
    let planned = sample(&state, "2.4.0");
    plan(&mut state, planned);
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Checks);
}

#[test]
fn an_expired_plan_is_made_anew() {
    let mut state = typed();
    let old = wizard(&state).plan().unwrap().expires_at;
    state.now = old - SignedDuration::from_millis(1);
    assert!(pass(&mut state, 0).iter().all(|ask| matches!(ask, Question::Check { .. })));
    assert_eq!(wizard(&state).step, Step::Confirm);
    assert!(matches!(pass(&mut state, 1)[..], [Question::Plan { number: 2, .. }]));
    moved_to_impact(&state, "expired at");
    assert!(pass(&mut state, 1_000).is_empty(), "and asked for once");
    let stale = rollback("2.4.0", &HOSTS, state.now - SignedDuration::from_hours(1));
    plan(&mut state, stale);
    assert!(wizard(&state).problem.as_ref().unwrap().contains("expired when it came"));
    assert!(pass(&mut state, 1_000).is_empty(), "one that is too old already is not asked for without end");
}

#[test]
fn a_poll_that_shows_a_deployment_of_the_service_invalidates_the_plan() {
    let mut state = super::deployments::deployed(0);
    super::deployments::told_by(&mut state, vec![(60, "2.5.0".into())]);
    state.layers.push(Layer::Wizard(Box::new(Wizard::new("web".into()))));
    update(&mut state, Message::Tick);
    let planned = sample(&state, "2.4.0");
    plan(&mut state, planned);
    press(&mut state, "enter enter enter enter");
    write(&mut state, "errors since 14:02");
    press(&mut state, "enter");
    super::deployments::told_by(&mut state, vec![(60, "2.5.0".into())]);
    assert_eq!(wizard(&state).step, Step::Confirm, "the same history is no news");
    super::deployments::told_by(&mut state, vec![(60, "2.5.0".into()), (0, "2.6.0".into())]);
    moved_to_impact(&state, "web 2.6.0 was deployed");
    assert!(wizard(&state).asked.is_some(), "a fresh plan is being made");
}

#[test]
fn a_source_of_the_service_that_falls_silent_invalidates_the_plan() {
    let mut state = at_dialog();
    let mut estate = (*state.estate).clone();
    estate.sources[1].service = Some("web".into());
    state.estate = Arc::new(estate);
    let mut all = asked({
        let now = state.now;
        let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what: "no route".into(), at: now };
        update(&mut state, Message::Read { source: 1, outcome, next_try: now })
    });
    moved_to_impact(&state, "prom does not answer any more");
    assert!(matches!(all.pop(), Some(Question::Plan { number: 2, .. })));
}

// After it.

fn confirmed() -> State {
    let mut state = ready();
    press(&mut state, "tab");
    let whole = phrase(&state);
    write(&mut state, &whole);
    assert_eq!(key(&mut state, "enter").len(), 1);
    state
}

#[test]
fn it_is_starting_until_the_runner_lives_and_leaving_it_then_drops_nothing() {
    let mut state = confirmed();
    assert!(pass(&mut state, 5_000).is_empty());
    assert!(matches!(wizard(&state).standing, Standing::Starting(_)));
    tell(&mut state, Told::Started { number: 99, result: Ok("other".into()) });
    assert!(matches!(wizard(&state).standing, Standing::Starting(_)), "an answer to another question is dropped");
    tell(&mut state, Told::Started { number: 1, result: Ok("web-20261121T140455Z-3f2a".into()) });
    assert!(held(&state).is_none(), "the run is shown in its place");
    assert!(matches!(state.layers.last(), Some(Layer::Run { run, .. }) if run == "web-20261121T140455Z-3f2a"));
    assert!(!state.wizards.prepared, "what was prepared is the run's");
}

#[test]
fn one_that_did_not_begin_says_why_and_goes_back_to_a_fresh_plan() {
    let mut state = confirmed();
    tell(&mut state, Told::Started { number: 1, result: Err("another run holds web2: `qd show web-1`".into()) });
    assert!(matches!(&wizard(&state).standing, Standing::Failed(why) if why.contains("qd show web-1")));
    assert!(key(&mut state, "enter r").is_empty());
    assert!(matches!(key(&mut state, "esc")[..], [Question::Plan { number: 2, .. }]));
    assert_eq!((wizard(&state).step, wizard(&state).reason.as_str()), (Step::Impact, "errors since 14:02"));
}

#[test]
fn a_console_without_who_carries_plans_out_says_so() {
    let mut state = served();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    press(&mut state, "R");
    tell(&mut state, Told::Plan { number: 1, result: Err("there is no folder for the journal".into()) });
    assert_eq!(wizard(&state).problem.as_deref(), Some("there is no folder for the journal"));
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Target);
}

#[test]
fn every_footer_key_of_every_step_is_there() {
    let mut state = opened();
    for _ in 0..6 {
        let scope = state.scope();
        for action in scope.footer() {
            assert!(state.keymap.key_for(scope, *action).is_some(), "{action:?} in {scope:?}");
        }
        if wizard(&state).step == Step::Reason {
            write(&mut state, "x");
        }
        draw(&mut state);
        pass(&mut state, 600);
        press(&mut state, "f1");
        assert_eq!(state.scope(), Scope::Search);
        press(&mut state, "esc enter");
    }
}

proptest! {
    #[test]
    fn no_keys_confirm_without_the_phrase(keys in prop::collection::vec(prop::sample::select(vec![
        "enter", "esc", "tab", "j", "k", "v", "B", "r", "o", "d", "w", "e", "b", "space", "backspace", "f1", "R", "q", "down", "ctrl-u",
    ]), 0..60)) {
        let mut state = ready();
        for one in keys {
            draw(&mut state);
            pass(&mut state, 600);
            let all = asked(press(&mut state, one));
            let starts = all.iter().any(|ask| matches!(ask, Question::Start { .. }));
            prop_assert!(!starts);
            if held(&state).is_none() {
                break;
            }
        }
    }
}

#[test]
fn what_is_different_between_two_plans_is_said() {
    let now = at(1_000);
    let said = |change: fn(&mut Deed)| {
        let old = rollback("2.4.0", &HOSTS, now).plan;
        let mut new = old.clone();
        change(&mut new);
        assert_ne!(old.hash(), new.hash());
        crate::app::wizard::differences(&old, &new).join("; ")
    };
    assert!(said(|plan| plan.from = Some("2.6.0".into())).contains("web runs 2.6.0 now, and ran 2.5.0"));
    assert!(said(|plan| plan.to = Some("2.3.1".into())).contains("goes back to 2.3.1 now"));
    assert!(said(|plan| plan.steps.truncate(4)).contains("web2 is not in the plan any more"));
    assert!(said(|plan| plan.steps[0].timeout = 31).contains("others now"));
    assert!(
        said(|plan| if let crate::model::plan::TargetKind::Releases { machine_id, .. } = &mut plan.targets[0].kind {
            *machine_id = "1".repeat(32);
        })
        .contains("web1 is not what it was")
    );
}

// Planted breaks of promise 13.

/// One message to a console: the real one, or one that is broken.
type Hand = fn(&mut State, Message) -> Vec<Effect>;

/// What began a run that must not: each thing that a hand does which is no confirmation, done to a console.
fn begun_by(hand: Hand) -> Vec<&'static str> {
    let keys = |state: &mut State, keys: &str| -> Vec<Question> {
        keys.split(' ').flat_map(|key| asked(hand(state, Message::Key(key.parse().unwrap())))).collect()
    };
    let typed = |state: &mut State, text: &str| -> Vec<Question> {
        text.chars().flat_map(|c| asked(hand(state, Message::Key(Key::char(c))))).collect()
    };
    let is_start = |all: Vec<Question>| all.iter().any(|ask| matches!(ask, Question::Start { .. }));
    let mut wrong = Vec::new();
    let mut state = ready();
    if is_start(keys(&mut state, "tab enter enter enter")) {
        wrong.push("enter alone");
    }
    let mut state = ready();
    let whole = phrase(&state);
    let mut all = keys(&mut state, "tab");
    all.extend(asked(hand(&mut state, Message::Paste(whole.clone()))));
    all.extend(keys(&mut state, "enter"));
    if is_start(all) {
        wrong.push("a paste");
    }
    let mut state = at_dialog();
    let mut all = keys(&mut state, "tab");
    all.extend(typed(&mut state, &whole));
    all.extend(keys(&mut state, "enter"));
    if is_start(all) {
        wrong.push("keys before it was drawn");
    }
    wrong
}

#[test]
fn a_console_that_enter_a_paste_or_early_keys_confirm_is_seen() {
    assert_eq!(begun_by(update), Vec::<&str>::new());
    let by_enter: Hand = |state, message| {
        if message == Message::Key("enter".parse().unwrap()) {
            let whole = phrase(state);
            press(state, "ctrl-u");
            write(state, &whole);
        }
        update(state, message)
    };
    assert!(begun_by(by_enter).contains(&"enter alone"));
    let by_paste: Hand = |state, message| match message {
        Message::Paste(text) => {
            write(state, &text);
            Vec::new()
        }
        message => update(state, message),
    };
    assert_eq!(begun_by(by_paste), ["a paste"]);
    let early: Hand = |state, message| {
        if state.wizards.shown.is_none() {
            draw(state);
            pass(state, 600);
        }
        update(state, message)
    };
    assert_eq!(begun_by(early), ["keys before it was drawn"]);
}
