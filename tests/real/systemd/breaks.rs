//! Planted breaks of what a run leaves on a host: the oracles that judge hosts must see each of them.

use std::fs;

use super::judge::{FOLDER, judged, judged_with};
use super::operator::{Operator, reset};
use super::{Host, hosts};

/// Exactly that oracle finds something.
#[track_caller]
fn sees(operator: &Operator, hosts: &[Host], what: &str) {
    let wrong = judged(hosts, &operator.journal(), &[&operator.journal()]);
    assert!(!wrong.is_empty() && wrong.iter().all(|wrong| wrong.starts_with(what)), "{what} was not seen: {wrong:?}");
}

#[test]
fn what_is_otherwise_on_a_host_than_the_record_says_is_seen_by_the_oracles() {
    let Some(hosts) = hosts("what_is_otherwise_on_a_host_than_the_record_says_is_seen_by_the_oracles", 1) else { return };
    reset(&hosts);
    let operator = Operator::new(&hosts, "deploy");
    let (code, out, errors) = operator.roll_back();
    assert_eq!(code, Some(0), "{out}{errors}");
    operator.is_sound(&hosts[..]);
    let (web1, run) = (&hosts[0], operator.states().pop().unwrap().run);

    // The release is switched behind the record's back, and the unit stopped.
    web1.point_at("1.1");
    sees(&operator, &hosts[..], "I5");
    web1.point_at("1.0");
    operator.is_sound(&hosts[..]);
    web1.ok("systemctl stop app.service");
    sees(&operator, &hosts[..], "I5");
    web1.ok("systemctl start app.service");
    operator.is_sound(&hosts[..]);

    // The host forgets the fence number that it gave out; it keeps the head of a journal that was cut.
    let file = |name: &str| web1.path(FOLDER).join(name);
    for (name, text, what) in [("fence", "0\n".to_owned(), "I3"), ("head", format!("{run} 999 {}\n", "0".repeat(64)), "I6")] {
        let before = fs::read(file(name)).unwrap();
        fs::write(file(name), text).unwrap();
        sees(&operator, &hosts[..], what);
        fs::write(file(name), before).unwrap();
        operator.is_sound(&hosts[..]);
    }

    // A write is gone of which its client was told that it is kept.
    std::fs::write(web1.path("/opt/app/writes"), "1\n3\n").unwrap();
    let acked = ["1", "2", "3"].map(str::to_owned).to_vec();
    let wrong = judged_with(&hosts[..], &operator.journal(), &[&operator.journal()], vec![acked]);
    assert!(wrong.len() == 1 && wrong[0].starts_with("I7: 1 "), "{wrong:?}");

    // A lease that a run left which ended.
    assert!(!file("lease").exists());
    fs::write(file("lease"), format!("{run}\n")).unwrap();
    sees(&operator, &hosts[..], "I8");
    fs::remove_file(file("lease")).unwrap();
    operator.is_sound(&hosts[..]);

    // A job that nobody wrote down before, and one that is told and never was.
    let job = |name: &str| file("jobs").join(&run).join(name);
    fs::create_dir(job("web1.switch.2")).unwrap();
    fs::write(job("web1.switch.2").join("began"), "1 1 boot\n").unwrap();
    sees(&operator, &hosts[..], "I2");
    fs::remove_dir_all(job("web1.switch.2")).unwrap();
    operator.is_sound(&hosts[..]);
    fs::rename(job("web1.switch.1"), file("jobs").join("elsewhere")).unwrap();
    sees(&operator, &hosts[..], "I2");
    fs::rename(file("jobs").join("elsewhere"), job("web1.switch.1")).unwrap();
    operator.is_sound(&hosts[..]);
}
