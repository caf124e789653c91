//! What is told of a restart, a health and a rollback that are wrong: place, words and hint.

use std::path::Path;

use crate::config::load::estate_from;

/// Two hosts, a history with a log, and a service; what is written below it begins on line 1.
const ABOVE: &str = "version = 1\n[estate]\nname = 'e'\nenvironment = 'test'\n[[host]]\nname = 'web1'\n[[history]]\nname = 'r'\nkind = 'releases'\npath = '/srv'\nhost = 'web1'\nlog = '/srv/log'\nservice = 'web'\n[[service]]\nname = 'web'\n";

/// `line:column what | hint` of a service with this in it.
fn told(text: &str) -> Vec<String> {
    let above = ABOVE.lines().count();
    let problems = estate_from(Path::new("estate.toml"), &format!("{ABOVE}{text}")).err().unwrap_or_default();
    let line = |p: crate::model::problem::Problem| {
        format!("{}:{} {}{}", p.place.line - above, p.place.column, p.what, p.hint.map(|h| format!(" | {h}")).unwrap_or_default())
    };
    problems.into_iter().map(line).collect()
}

fn one(text: &str) -> String {
    let all = told(text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    // Its place is looked at where it is the point.
    all[0].split_once(' ').unwrap().1.to_owned()
}

#[test]
fn it_is_started_again_in_one_way() {
    assert_eq!(one("restart = {}"), "`restart` has neither of `unit` and `command` | it needs just one of them");
    assert_eq!(
        one("restart = { unit = 'a.service', command = ['b'] }"),
        "`unit` and `command` are both given | `restart` has just one of `unit` and `command`"
    );
    assert_eq!(one("restart = { unit = 'app' }"), "`app` is no service | the whole name, such as `app.service`");
    assert_eq!(one("restart = { unit = '-f' }"), "`-f` is no name of a unit | such as `unit = \"app.service\"`");
    assert!(one("restart = { unit = 'a b.service' }").contains("is no name of a unit"));
    assert!(one("restart = { command = ['x'], sudo = true }").starts_with("`sudo` is there and `unit` is not"));
    assert!(one("restart = { unit = 'a.service', pid_file = '/p' }").starts_with("`pid_file` is there and `command` is not"));
    assert!(one("restart = { command = ['x'], pid_file = 'p' }").starts_with("`pid_file` begins with no `/`"));
    assert_eq!(one("restart = { command = [] }"), "`command` is empty | the program and its arguments, each a text of its own");
    assert_eq!(
        one("restart = { command = ['restart it'] }"),
        "`command` is one word with spaces in it | no shell splits it: `command = [\"restart\", \"it\"]`"
    );
    assert_eq!(one("restart = { command = ['x', ''] }"), "a text of `command` is empty");
    assert_eq!(told("restart = { command = ['x', '$host', '$site', '${x}', '$HOME', '100$'] }"), Vec::<String>::new());
    assert_eq!(
        one("restart = { command = ['x', '$hots'] }"),
        "`$hots` stands for nothing here | here there are `$host` and `$site`; a variable of a shell is written `${hots}`"
    );
    assert_eq!(one("restart = { unit = 'a.service', suod = true }"), "unknown key `suod` | did you mean `sudo`?");
}

#[test]
fn its_health_is_asked_in_one_way_and_can_come_in_time() {
    assert_eq!(one("health = { times = 2 }"), "`health` has neither of `http` and `command` | it needs just one of them");
    assert!(one("health = { http = 'http://$host/', command = ['x'] }").contains("`http` and `command` are both given"));
    assert_eq!(told("health = { http = 'http://$host.$site:8000/healthz?a=1', status = 204, body = 'ok' }"), Vec::<String>::new());
    assert!(one("health = { http = 'http://$name/' }").starts_with("`$name` stands for nothing here"));
    assert!(one("health = { http = 'ftp://x/' }").contains("begins with neither http:// nor https://"));
    assert!(one("health = { http = 'http://u:p@x/' }").contains("holds a user or a password"));
    assert!(one("health = { command = ['x'], status = 200 }").starts_with("`status` is there and `http` is not"));
    assert_eq!(one("health = { http = 'http://x/', status = 99 }"), "99 is no HTTP status: 100 to 599");
    assert_eq!(one("health = { http = 'http://x/', times = 0 }"), "`times` is 0: 1 to 100");
    assert_eq!(one("health = { http = 'http://x/', every = '2m' }"), "`every` is too long: 1m at the most");
    assert_eq!(
        one("health = { http = 'http://x/', times = 10, every = '5s', within = '30s' }"),
        "`within` is shorter than `times` answers take | a longer `within`, fewer `times` or a shorter `every`"
    );
}

#[test]
fn a_rollback_has_its_bounds_and_hosts_that_are_there() {
    assert_eq!(one("rollback = { batch = 0 }"), "`batch` is 0: 1 to 1000");
    assert_eq!(one("rollback = { guard = '9s' }"), "`guard` is too short: 10s at the least");
    assert_eq!(one("rollback = { guard = '3h' }"), "`guard` is too long: 2h at the most");
    assert_eq!(told("rollback = { note = true }"), Vec::<String>::new());
    let step = |rest: &str| format!("[service.rollback]\n[[service.rollback.before]]\nname = 'a'\n{rest}\n");
    assert_eq!(told(&step("command = ['x', '$from', '$to']\nhost = 'web1'\nundo = { command = ['y'] }")), Vec::<String>::new());
    assert_eq!(one(&step("command = ['x']\nhost = 'web9'")), "there is no host named `web9` | did you mean `web1`?");
    assert_eq!(one(&step("")), "a step has neither of `command`, `http` and `manual` | it needs just one of them");
    assert!(one(&step("command = ['x']\nmanual = 'y'")).starts_with("`command` and `manual` are both given"));
    assert!(one(&step("manual = 'y'\nhost = 'web1'")).starts_with("`host` is there and `command` is not"));
    assert!(one(&step("command = ['x', '$host']")).starts_with("`$host` stands for nothing here"));
    assert!(one(&step("http = {}")).contains("`url` is missing in this request"));
    assert!(one(&step("http = { url = 'http://x/', method = 'GET' }")).contains("`GET` is no method of a step"));
    assert!(one(&step("manual = 'y'\ntimeout = '25h'")).contains("`timeout` is too long: 24h at the most"));
    assert!(one(&step("manual = 'y'\nundo = {}")).contains("`undo` has neither of"));
    assert_eq!(told(&step("command = ['x']\npoint_of_no_return = true")), Vec::<String>::new());
    assert_eq!(told(&step("manual = 'x'\npoint_of_no_return = false\nundo = { manual = 'y' }")), Vec::<String>::new());
    assert_eq!(
        told(&step("command = ['x']\npoint_of_no_return = true\nundo = { command = ['y'] }")),
        ["5:22 `point_of_no_return` and `undo` are both given | nothing is taken back from such a step on: leave one of the two out"]
    );
    assert_eq!(told(&step("command = ['x']\npoint_of_no_return = 'yes'")).len(), 1);
    let twice = "[[service.rollback.before]]\nname = 'a'\nmanual = 'x'\n[[service.rollback.after]]\nname = 'a'\nmanual = 'y'\n";
    assert_eq!(one(twice), "there are two steps named `a` in this rollback");
    assert!(one("[[service.rollback.before]]\nname = 'a/b'\nmanual = 'x'\n").contains("is no name of a step"));
    let config = one(&step("http = { url = 'http://x/', http_config = 'none.yml' }"));
    assert!(config.contains("the http_config file `none.yml` cannot be read"), "{config}");
}

#[test]
fn each_is_told_at_its_place() {
    assert_eq!(told("restart = { unit = 'app' }"), ["1:20 `app` is no service | the whole name, such as `app.service`"]);
    let twice = "[[service.rollback.before]]\nname = 'a'\nmanual = 'x'\n[[service.rollback.after]]\nname = 'a'\nmanual = 'y'\n";
    assert_eq!(told(twice), ["5:8 there are two steps named `a` in this rollback"]);
    assert_eq!(told("rollback = { guard = '9s' }"), ["1:22 `guard` is too short: 10s at the least"]);
}

#[test]
fn logs_are_those_of_a_unit_or_a_file() {
    assert_eq!(one("logs = {}"), "`logs` has neither of `unit` and `file` | it needs just one of them");
    assert_eq!(
        one("logs = { unit = 'a.service', file = '/b' }"),
        "`unit` and `file` are both given | `logs` has just one of `unit` and `file`"
    );
    assert_eq!(one("logs = { unit = 'app' }"), "`app` is no service | the whole name, such as `app.service`");
    assert!(one("logs = { file = 'log' }").starts_with("`file` begins with no `/`"));
    assert!(one("logs = { file = '/x/$port' }").starts_with("`$port` stands for nothing here"));
    assert_eq!(told("logs = { file = '/srv/$site/$host.log' }"), Vec::<String>::new());
}
