//! Release folders on hosts: listed there by one constant script, a NUL after each part, and told as those of this machine.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::noted::{Noted, TAIL, records};
use super::releases::{Listing, MANY, tell};
use super::{Fault, Of, far};
use crate::link::process::capture::Printed;
use crate::link::ssh::{Reader, Script};
use crate::model::reading::FailureKind;
use crate::model::source::HistoryAnswer;
use crate::model::text::{LABEL_CAP, clean};

/// Bytes of a listing: ten thousand long names, and an end to it.
const OUTPUT: usize = 8 << 20;

/// Prints where the link leads to, when it was made, and for each folder when it was made and its name. `find -printf`
/// and `stat -c` are GNU's, `stat -f` is that of the BSDs; a link's own time is asked for, not its target's.
const LISTING: Script = Script(
    r#"cd -- "$1" || exit 66
[ -d releases/. ] || { ls releases/. >/dev/null; exit 66; }
made() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null; }
to=
if [ -L current ]; then to=$(readlink current; echo x); to=${to%x}; to=${to%?}; fi
printf '%s\0%s\0' "$to" "$(made current)"
if find . -prune -printf '' >/dev/null 2>&1; then
  find releases/. -mindepth 1 -maxdepth 1 -type d -printf '%T@\0%f\0'
else
  cd releases || exit 66
  for each in * .[!.]* ..?*; do
    if [ -d "$each" ] && [ ! -L "$each" ]; then printf '%s\0%s\0' "$(made "./$each")" "$each"; fi
  done
fi
if [ "$2" != - ]; then printf '\0\0'; tail -c "$3" "$2" || exit 66; fi"#,
);

/// The releases of all these hosts. One that does not answer is noted; where none does, the try has failed.
pub(super) async fn releases(
    hosts: &[Arc<Reader>],
    path: &Path,
    log: Option<Noted<'_>>,
    of: &Of,
    until: Instant,
) -> Result<HistoryAnswer, Fault> {
    let folder = path.to_str().ok_or_else(|| (FailureKind::Unreachable, "the path is no text".to_owned()))?;
    let file = match log {
        Some(log) => log.log.to_str().ok_or_else(|| (FailureKind::Unreachable, "the log's path is no text".to_owned()))?,
        None => "-",
    };
    let tail = TAIL.to_string();
    let arguments = [folder, file, &tail];
    let asked = join_all(hosts.iter().map(|host| host.run(LISTING, &arguments, until, OUTPUT))).await;
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for (host, said) in hosts.iter().zip(asked) {
        match said.map_err(far).and_then(|printed| listing(host, &printed, log, of)) {
            Ok(found) => all.push(found),
            Err(fault) => faults.push(fault),
        }
    }
    let what = faults.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>();
    if all.is_empty() {
        let refused = !faults.is_empty() && faults.iter().all(|(kind, _)| *kind == FailureKind::Refused);
        return Err((if refused { FailureKind::Refused } else { FailureKind::Unreachable }, what.join("; ")));
    }
    let notes = what.into_iter().map(|what| clean(what, LABEL_CAP).into_owned()).collect();
    let of = of.clone();
    // Ten thousand releases of many hosts take their time.
    let told = tokio::task::spawn_blocking(move || tell(&all, &of, notes)).await;
    told.map_err(|_| (FailureKind::Unreachable, "telling the releases ended in a defect of qd".to_owned()))
}

fn listing(reader: &Reader, printed: &Printed, log: Option<Noted<'_>>, of: &Of) -> Result<Listing, Fault> {
    let host = reader.host();
    if printed.code != Some(0) {
        let errors = String::from_utf8_lossy(&printed.errors);
        let last = errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it does not say why");
        let last = last.strip_prefix("# ").unwrap_or(last);
        let kind = if errors.contains("Permission denied") { FailureKind::Refused } else { FailureKind::Unreachable };
        return Err((kind, format!("{}: the releases cannot be listed: {last}", host.name)));
    }
    let (mut parts, mut read) = (printed.out.split(|byte| *byte == 0), 0);
    let (to, switched) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = to.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
    let mut found = Listing {
        host: Some(host.name.clone()),
        site: host.site.clone(),
        current: name.map(<[u8]>::to_vec).ok_or_else(|| "`current` is no link".to_owned()),
        switched: moment(switched),
        releases: Vec::new(),
        more: false,
        records: Vec::new(),
        broken: 0,
    };
    read += to.len() + switched.len() + 2;
    while let (Some(made), Some(name)) = (parts.next(), parts.next()) {
        read += made.len() + name.len() + 2;
        if name.is_empty() {
            break;
        }
        if found.releases.len() == MANY {
            found.more = true;
        } else {
            found.releases.push((name.to_vec(), moment(made)));
        }
    }
    if let (Some(log), Some(bytes)) = (log, printed.out.get(read..)) {
        (found.records, found.broken) = records(bytes, log.fields, of);
    }
    Ok(found)
}

/// Seconds since the epoch, with or without a fraction.
fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: i32 = part.get(..part.len().min(9)).filter(|p| !p.is_empty()).map_or(Ok(0), |p| format!("{p:0<9}").parse()).ok()?;
    Timestamp::new(whole.parse().ok()?, part).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::link::ssh::Hosts;
    use crate::model::deployment::{Dated, Ending};
    use crate::model::estate::Host;

    fn of() -> Of {
        Of { name: "rel".into(), service: Some("web".into()), site: None }
    }

    /// Two hosts that are both this machine.
    fn hosts() -> Vec<Arc<Reader>> {
        let host = |name: &str| Host { name: name.into(), site: Some("fra1".into()), ssh: None, ssh_config: None, machine_id: None };
        let hosts = Hosts::new(&[host("web1"), host("web2")]);
        ["web1", "web2"].map(|name| hosts.reader(name).unwrap()).to_vec()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn times_are_read_to_the_nanosecond() {
        assert_eq!(moment(b"1600000000.1234567890").unwrap().as_nanosecond(), 1_600_000_000_123_456_789);
        assert_eq!(moment(b"1600000000").unwrap().as_second(), 1_600_000_000);
        for none in [&b""[..], b"x", b"1.x", b"\xff"] {
            assert_eq!(moment(none), None);
        }
    }

    #[tokio::test]
    async fn the_listing_of_a_host_is_that_of_this_machine_whatever_the_names_hold() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["1.0", "a\nb", "$(touch x)", "'\"", "\u{1b}[2J", "-rf", ".hidden", " "] {
            fs::create_dir_all(folder.path().join("releases").join(name)).unwrap();
        }
        fs::write(folder.path().join("releases/file"), "").unwrap();
        symlink("1.0", folder.path().join("releases/link")).unwrap();
        symlink("releases/a\nb", folder.path().join("current")).unwrap();
        let here = super::super::releases::read(folder.path(), None, &of()).unwrap();
        let there = releases(&hosts()[..1], folder.path(), None, &of(), soon()).await.unwrap();
        let told = |answer: &HistoryAnswer| answer.deployments.iter().map(|one| (one.to.clone(), one.result, one.at)).collect::<Vec<_>>();
        let sorted = |answer: &HistoryAnswer| {
            let mut all = told(answer);
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all.into_iter().map(|(to, result, _)| (to, result)).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&here), sorted(&there));
        assert_eq!(there.deployments.len(), 8);
        let runs = there.deployments.iter().find(|one| one.result == Some(Ending::Succeeded)).unwrap();
        assert_eq!((runs.to.as_deref(), runs.site.as_deref(), there.notes.len()), (Some("a b"), Some("fra1"), 0));
        assert!(!folder.path().join("x").exists() && !folder.path().join("releases/x").exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_said() {
        let (_, what) = releases(&hosts()[..1], Path::new("/nonexistent/x"), None, &of(), soon()).await.unwrap_err();
        assert!(what.starts_with("web1: the releases cannot be listed: sh: ") && what.contains("/nonexistent/x"), "{what}");
        let folder = tempfile::tempdir().unwrap();
        let (_, what) = releases(&hosts()[..1], folder.path(), None, &of(), soon()).await.unwrap_err();
        assert!(what.contains("No such file"), "{what}");
    }

    fn listed(host: &str, current: &str, names: &[&str]) -> Listing {
        let at = |n: usize| Timestamp::from_second(1_000 + i64::try_from(n).unwrap()).ok();
        Listing {
            host: Some(host.into()),
            site: Some("fra1".into()),
            current: Ok(current.as_bytes().to_vec()),
            switched: at(host.len() * 100),
            releases: names.iter().enumerate().map(|(n, name)| (name.as_bytes().to_vec(), at(n))).collect(),
            more: false,
            records: Vec::new(),
            broken: 0,
        }
    }

    #[tokio::test]
    async fn the_log_beside_the_folders_dates_them_here_and_there_and_tells_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["1.0", "1.1"] {
            fs::create_dir_all(folder.path().join("releases").join(name)).unwrap();
        }
        symlink("releases/1.1", folder.path().join("current")).unwrap();
        let path = folder.path().join("log");
        let line = |at: u32, version: &str| format!("{{\"time\":{at},\"tag\":\"{version}\",\"who\":\"jl\"}}\n");
        fs::write(&path, format!("{}{}{}oh\n{}", line(100, "0.9"), line(200, "1.1"), line(300, "1.1"), "{\"time\":4")).unwrap();
        let fields = [(crate::model::estate::Part::Version, "tag".to_owned())].into();
        let log = Some(Noted { log: &path, fields: &fields });
        let here = super::super::releases::read(folder.path(), log, &of()).unwrap();
        let there = releases(&hosts(), folder.path(), log, &of(), soon()).await.unwrap();
        for (answer, broken) in [(here, 1), (there, 2)] {
            let told = |one: &crate::model::deployment::Deployment| (one.to.clone().unwrap(), one.dated == Dated::Record, one.result);
            let rows: Vec<_> = answer.deployments.iter().map(|one| told(one)).collect();
            let is = |version: &str, record, result| (version.to_owned(), record, result);
            let runs = Some(Ending::Succeeded);
            assert_eq!(rows, [is("1.0", false, None), is("1.1", true, runs), is("1.1", true, None), is("0.9", true, None)]);
            assert_eq!(
                (answer.deployments[1].at.as_second(), answer.deployments[1].who.as_deref(), answer.broken),
                (300, Some("jl"), broken)
            );
        }
        let gone = folder.path().join("gone");
        let (_, what) = releases(&hosts(), folder.path(), Some(Noted { log: &gone, fields: &fields }), &of(), soon()).await.unwrap_err();
        assert!(what.contains("gone") && what.contains("No such file"), "{what}");
    }

    #[test]
    fn hosts_of_one_site_share_a_row_and_where_they_differ_is_told() {
        let told = tell(&[listed("web1", "2", &["1", "2"]), listed("web20", "1", &["1"])], &of(), Vec::new());
        assert_eq!(told.notes, ["web20 has not the releases 2 of the other hosts"]);
        let rows: Vec<_> =
            told.deployments.iter().map(|one| (one.to.as_deref().unwrap(), one.at.as_second(), one.differs.join("|"))).collect();
        assert_eq!(
            rows,
            [("1", 1_500, "it runs on web20, and not on web1".into()), ("2", 1_400, "it runs on web1, and not on web20".into())]
        );
    }
}
