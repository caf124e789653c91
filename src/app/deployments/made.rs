//! The deployments that runs made, carried on from one telling of the runs to the next: while a run goes on something new is
//! told each second, and past runs are thousands.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::deployment::Deployment;
use crate::model::estate::Estate;
use crate::model::run::deployed::deployments;
use crate::model::run::known::{KnownRun, Runs};

use super::Made;

/// What the runs as they are now made, where those before made `made`. It is the same one where they made nothing else.
pub fn carried_on(made: &Made, before: &Runs, now: &Runs, estate: &Estate) -> Made {
    let (before, now) = differing(&before.all, &now.all);
    let of = |known: &KnownRun| deployments(&known.state, estate);
    let mut old: BTreeMap<&str, &KnownRun> = before.iter().map(|known| (known.state.run.as_str(), &**known)).collect();
    let (mut gone, mut come) = (BTreeSet::new(), Vec::new());
    for known in now {
        let run = known.state.run.as_str();
        let was = match old.remove(run) {
            // Its runner beat, or a job printed something.
            Some(old) if Arc::ptr_eq(&old.state, &known.state) => continue,
            Some(old) => of(old),
            None => Vec::new(),
        };
        let is = of(known);
        if was != is {
            gone.insert(run);
            come.extend(is);
        }
    }
    gone.extend(old.into_iter().filter(|(_, old)| !of(old).is_empty()).map(|(run, _)| run));
    if gone.is_empty() {
        return made.clone();
    }
    let stays = made.iter().filter(|one| one.id.as_deref().is_none_or(|run| !gone.contains(run)));
    let mut all: Vec<Arc<Deployment>> = stays.cloned().chain(come.into_iter().map(Arc::new)).collect();
    all.sort_by(|a, b| newest_first(a, b));
    Arc::new(all)
}

/// One order for all of them, however they were come by.
fn newest_first(a: &Deployment, b: &Deployment) -> Ordering {
    (Reverse(a.at), &a.id, &a.site).cmp(&(Reverse(b.at), &b.id, &b.site))
}

/// Both without what they begin and end with alike. A run that changed stands near the head of the list, before and after.
fn differing<'a>(before: &'a [Arc<KnownRun>], now: &'a [Arc<KnownRun>]) -> (&'a [Arc<KnownRun>], &'a [Arc<KnownRun>]) {
    let same = |(a, b): &(&Arc<KnownRun>, &Arc<KnownRun>)| Arc::ptr_eq(a, b);
    let head = before.iter().zip(now).take_while(same).count();
    let (before, now) = (&before[head..], &now[head..]);
    let tail = before.iter().rev().zip(now.iter().rev()).take_while(same).count();
    (&before[..before.len() - tail], &now[..now.len() - tail])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::tests::bare;
    use crate::model::run::known::Liveness;
    use crate::model::run::sample::{Log, plan, step};
    use crate::model::run::{Ending, Happened};

    fn estate() -> Estate {
        Estate { name: "shop".into(), ..bare(vec![]) }
    }

    fn begun(run: &str) -> Log {
        Log::begun(run, &plan(&["web1"], vec![step("web1/switch"), step("web1/start")]))
    }

    fn known(log: &Log, alive: Liveness) -> Arc<KnownRun> {
        log.known(alive)
    }

    fn told(all: &[Arc<KnownRun>]) -> Runs {
        Runs::of(all.to_vec(), String::new(), None)
    }

    /// All of them anew.
    fn at_once(runs: &Runs) -> Vec<Deployment> {
        let mut all: Vec<Deployment> = runs.all.iter().flat_map(|known| deployments(&known.state, &estate())).collect();
        all.sort_by(newest_first);
        all
    }

    fn rows(made: &Made) -> Vec<Deployment> {
        made.iter().map(|one| (**one).clone()).collect()
    }

    #[test]
    fn carried_on_from_telling_to_telling_it_is_what_all_runs_at_once_come_to() {
        let live = Liveness::Live { heartbeat: crate::model::run::sample::at(0) };
        // All were planned at the same moment: their order is one all the same.
        let mut logs: Vec<Log> = (0..20).map(|n| begun(&format!("web-{n:02}"))).collect();
        let mut all: Vec<Arc<KnownRun>> = logs.iter().map(|log| known(log, live)).collect();
        let (mut before, mut made) = (Runs::default(), Made::default());
        let (mut changes, mut steps) = (0, 0);
        let mut look = |all: &[Arc<KnownRun>], what: &str| {
            let now = told(all);
            let next = carried_on(&made, &before, &now, &estate());
            assert_eq!(rows(&next), at_once(&now), "{what}");
            steps += 1;
            if rows(&next) == rows(&made) {
                assert!(Arc::ptr_eq(&next, &made), "{what}: nothing else was made, and it is another list");
            } else {
                changes += 1;
            }
            (before, made) = (now, next);
        };
        look(&all, "nothing was changed anywhere yet");
        for place in [7, 3, 19, 0, 7, 12] {
            for what in ["switch", "start", "beat", "end"] {
                match what {
                    "end" => drop(logs[place].add(Happened::Ended(Ending::Done))),
                    "beat" => {
                        let heartbeat = crate::model::run::sample::at(steps_of(&logs[place]));
                        all[place] = Arc::new(KnownRun { alive: Liveness::Live { heartbeat }, ..(*all[place]).clone() });
                        look(&all, "only its runner beat");
                        continue;
                    }
                    step => logs[place].done(&format!("web1/{step}")),
                }
                all[place] = known(&logs[place], if what == "end" { Liveness::Over } else { live });
                look(&all, what);
            }
        }
        // Several at once, new ones, and ones that are gone.
        logs.push(begun("web-99"));
        logs[20].done("web1/switch");
        all.push(known(&logs[20], live));
        all.remove(3);
        logs[5].done("web1/switch");
        all[4] = known(&logs[5], live);
        look(&all, "several at once");
        look(&[], "none is told");
        look(&all, "all are told again");
        assert!(changes > 10, "{changes} of {steps}");
    }

    fn steps_of(log: &Log) -> i64 {
        i64::try_from(log.records.len()).unwrap()
    }
}
