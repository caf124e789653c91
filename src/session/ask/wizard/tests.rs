//! What is asked of who carries plans out, and what is told where that one is slow or not there.

use std::sync::Mutex;

use jiff::SignedDuration;
use tokio::time::sleep;

use super::*;
use crate::app::ask::{Ask, WishOf};
use crate::model::plan::sample::rollback;
use crate::model::plan::silence::Wish;
use crate::session::ask::tests::desk;

/// Plays who carries plans out.
#[derive(Default)]
struct Played {
    /// How slow it is.
    slow: Duration,
    /// What the plan goes back to now.
    to: Mutex<String>,
    /// What was asked.
    asked: Mutex<Vec<String>>,
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1)
}

impl Played {
    fn note(&self, what: &str) {
        self.asked.lock().unwrap().push(what.to_owned());
    }
}

impl Operator for Played {
    fn plan<'a>(&'a self, wish: &'a WishOf, heard: &'a Heard) -> BoxFuture<'a, Result<Planned, String>> {
        Box::pin(async move {
            sleep(self.slow).await;
            heard("web1", Ok(()));
            match wish {
                WishOf::Rollback { service, to, without } => {
                    let without: String = without.iter().map(|host| format!(" without {host}")).collect();
                    self.note(&format!("plan {service} {}{without}", to.as_deref().unwrap_or("-")));
                }
                WishOf::Processes { deed, service, hosts } => self.note(&format!("plan {} {service} {}", deed.word(), hosts.join(","))),
                WishOf::Silence { source, wish, reason } => self.note(&format!("plan {source} {wish:?} {reason}")),
            }
            Ok(rollback(&self.to.lock().unwrap(), &["web1"], now()))
        })
    }

    fn check<'a>(&'a self, plan: &'a Plan, heard: &'a Heard) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(async move {
            sleep(self.slow).await;
            self.note(&format!("check {}", plan.subject));
            heard("web1", Err("no route"));
            rollback("2.4.0", &["web1"], now()).checks
        })
    }

    fn start(&self, plan: Arc<Plan>, agreement: Agreement) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            sleep(self.slow).await;
            self.note(&format!("start {} because {}", plan.subject, agreement.reason));
            Ok("web-1".to_owned())
        })
    }

    fn take_up(&self, run: String, reason: String) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            sleep(self.slow).await;
            self.note(&format!("take up {run} because {reason}"));
            Ok(())
        })
    }

    fn close(&self) {
        self.note("close");
    }
}

fn played(slow: u64) -> (Desk, Arc<Played>) {
    let played = Arc::new(Played { slow: Duration::from_secs(slow), to: Mutex::new("2.4.0".into()), ..Played::default() });
    let mut desk = desk();
    desk.operator = Some(played.clone());
    (desk, played)
}

fn plan() -> Arc<Plan> {
    Arc::new(rollback("2.4.0", &["web1"], now()).plan)
}

fn web(to: Option<&str>) -> WishOf {
    WishOf::Rollback { service: "web".into(), to: to.map(str::to_owned), without: vec![] }
}

fn agreement() -> Agreement {
    Agreement { phrase: plan().phrase(), reason: "errors".into(), overrides: vec![], glass: None, at: now() }
}

#[tokio::test]
async fn plans_checks_and_starts_are_told_with_their_numbers() {
    let (desk, played) = played(0);
    let told = desk.answer(Ask::Plan { number: 7, wish: web(Some("2.4.0")) }).await;
    assert!(matches!(told, Told::Plan { number: 7, result: Ok(planned) } if planned.plan.hash() == plan().hash()));
    let told = desk.answer(Ask::Check { number: 7, plan: plan(), wish: web(Some("2.4.0")) }).await;
    assert!(matches!(told, Told::Checks { number: 7, checks } if checks.len() == 1));
    let told = desk.answer(Ask::Start { number: 7, plan: plan(), agreement: agreement() }).await;
    assert_eq!(told, Told::Started { number: 7, result: Ok("web-1".into()) });
    assert_eq!(desk.answer(Ask::Close).await, Told::Closed);
    let asked = played.asked.lock().unwrap().clone();
    assert_eq!((asked[0].as_str(), asked.last().unwrap().as_str()), ("plan web 2.4.0", "start web because errors"));
}

#[tokio::test]
async fn each_host_is_told_of_once_as_it_answers() {
    let (mut desk, _) = played(0);
    let (told, heard) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Vec::new()));
    let into = told.clone();
    desk.early = Arc::new(move |told| into.lock().unwrap().push(told));
    desk.answer(Ask::Plan { number: 5, wish: web(None) }).await;
    desk.answer(Ask::Check { number: 5, plan: plan(), wish: web(Some("2.4.0")) }).await;
    heard.lock().unwrap().extend([Ok(()), Err("no route".to_owned())]);
    let wanted: Vec<Told> =
        heard.into_inner().unwrap().into_iter().map(|end| Told::Heard { number: 5, host: "web1".into(), end }).collect();
    assert_eq!(*told.lock().unwrap(), wanted, "the plan that is made beside the checks asks the same hosts, and is not told of");
}

#[tokio::test]
async fn the_checks_of_a_silence_are_made_anew_with_the_very_wish_of_its_plan() {
    let (desk, played) = played(0);
    let until = now() + SignedDuration::from_hours(2);
    let wish =
        WishOf::Silence { source: "am".into(), wish: Wish::Extend { id: "2b614108".into(), until }, reason: "the disk is replaced".into() };
    let told = desk.answer(Ask::Plan { number: 4, wish: wish.clone() }).await;
    assert!(matches!(told, Told::Plan { number: 4, result: Ok(_) }));
    let told = desk.answer(Ask::Check { number: 4, plan: plan(), wish }).await;
    assert!(matches!(told, Told::Checks { number: 4, .. }));
    let asked = played.asked.lock().unwrap().clone();
    let plans: Vec<&String> = asked.iter().filter(|one| one.starts_with("plan am Extend") && one.contains("replaced")).collect();
    assert!(plans.len() == 2 && plans[0] == plans[1] && plans[0].contains("03:00:00"), "{asked:?}");
}

#[tokio::test]
async fn where_the_plan_is_another_one_now_that_is_told_and_not_the_checks() {
    let (desk, played) = played(0);
    *played.to.lock().unwrap() = "2.3.1".into();
    let told = desk.answer(Ask::Check { number: 3, plan: plan(), wish: web(Some("2.4.0")) }).await;
    let Told::Plan { number: 3, result: Ok(other) } = told else { panic!("{told:?}") };
    assert_ne!(other.plan.hash(), plan().hash());
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_not_waited_for_without_end_and_silence_passes_no_check() {
    let (desk, _) = played(1_000);
    let told = desk.answer(Ask::Plan { number: 1, wish: web(None) }).await;
    assert!(matches!(told, Told::Plan { result: Err(why), .. } if why.contains("60 s")));
    let told = desk.answer(Ask::Check { number: 1, plan: plan(), wish: web(Some("2.4.0")) }).await;
    assert!(matches!(told, Told::Plan { result: Err(_), .. }));
    let told = desk.answer(Ask::Start { number: 1, plan: plan(), agreement: agreement() }).await;
    assert!(matches!(told, Told::Started { result: Err(why), .. } if why.contains("`qd runs`")));
    let untold = untold(now());
    assert!(!untold.is_settled(&[], true) && !untold.overridable);
    // Slower than checks may be, and not than plans.
    let (desk, _) = played(30);
    let told = desk.answer(Ask::Check { number: 1, plan: plan(), wish: web(Some("2.4.0")) }).await;
    assert!(matches!(told, Told::Checks { checks, .. } if checks[0].verdict == Verdict::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_taken_up_and_where_no_runner_shows_that_is_told() {
    let ask = || Ask::TakeUp { run: "web-1".into(), reason: "it was killed".into() };
    let (desk, played) = played(0);
    assert_eq!(desk.answer(ask()).await, Told::Requested { run: "web-1".into(), end: Ok(()) });
    assert_eq!(*played.asked.lock().unwrap(), ["take up web-1 because it was killed"]);
    let (slow, _) = self::played(1_000);
    let told = slow.answer(ask()).await;
    assert!(matches!(&told, Told::Requested { end: Err(why), .. } if why.contains("nobody knows whether one began")), "{told:?}");
    assert!(matches!(self::desk().answer(ask()).await, Told::Requested { end: Err(why), .. } if why == NOBODY));
}

#[tokio::test]
async fn without_anyone_it_says_so() {
    let desk = desk();
    let asks = [
        Ask::Plan { number: 1, wish: web(None) },
        Ask::Check { number: 1, plan: plan(), wish: web(Some("2.4.0")) },
        Ask::Start { number: 1, plan: plan(), agreement: agreement() },
    ];
    for ask in asks {
        match desk.answer(ask).await {
            Told::Plan { result: Err(why), .. } | Told::Started { result: Err(why), .. } => assert_eq!(why, NOBODY),
            other => panic!("{other:?}"),
        }
    }
}
