//! Whether anybody is told when a service is stopped: what the Alertmanagers of the estate mute of it now.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::model::estate::{Estate, Service, SourceKind};
use crate::model::label::Labels;
use crate::model::plan::Doubt;
use crate::model::silence::{Muting, Silence, SilenceState};
use crate::watch;

/// A warning where no silence mutes all that has the service's labels, or where that cannot be told; none where no
/// Alertmanager is watched.
pub(super) async fn doubt(estate: &Estate, service: &Service) -> Option<Doubt> {
    let sources = estate.sources.iter().filter(|source| matches!(source.kind, SourceKind::Alertmanager { .. }));
    let asked = sources.map(|source| async move { (source.name.as_str(), watch::alertmanager(source, &Timestamp::now).await) });
    let labels = labels(service);
    let told = join_all(asked).await.into_iter().filter_map(|(name, answer)| match answer {
        Ok(answer) if answer.silences.iter().any(|silence| mutes(silence, &labels)) => None,
        Ok(_) => Some(format!("no silence of {name} mutes it")),
        Err(why) => Some(format!("whether it is muted is not known: {why}")),
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| {
        let matchers: String = labels.iter().map(|(name, value)| format!(" --matcher '{name}=\"{value}\"'")).collect();
        let what = format!(
            "{}: its alerts reach who is on call. `qd plan silence{matchers} --for 1h --reason WHY` mutes it for an hour",
            told.join("; ")
        );
        Doubt { id: "alerts".to_owned(), title: "its alerts are muted while it is stopped".to_owned(), what }
    })
}

/// Those by which its alerts are known.
fn labels(service: &Service) -> Labels {
    match service.labels.is_empty() {
        true => Labels::new([("service", service.name.as_str())]),
        false => service.labels.clone(),
    }
}

/// True of one that mutes now whatever has these labels, whatever else it has.
fn mutes(silence: &Silence, labels: &Labels) -> bool {
    let named = silence.matchers.iter().all(|matcher| labels.get(&matcher.name).is_some());
    silence.state == SilenceState::Active && named && Muting::of(&silence.matchers).is_ok_and(|muting| muting.mutes(labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::silence::SilenceMatcher;

    #[test]
    fn only_a_silence_of_the_whole_service_that_is_active_mutes_it() {
        let labels = Labels::new([("service", "web")]);
        let silence = |state, matchers: &[(&str, &str)]| Silence {
            id: "2b614108-0c1f-4b7a-9c3e-5a1d2f3e4b5c".into(),
            state,
            matchers: matchers.iter().map(|(name, value)| SilenceMatcher::equal(name, value)).collect(),
            starts_at: Timestamp::UNIX_EPOCH,
            ends_at: Timestamp::MAX,
            created_by: "ann".into(),
            comment: "disks".into(),
            seen_by: vec![0],
        };
        assert!(mutes(&silence(SilenceState::Active, &[("service", "web")]), &labels));
        assert!(!mutes(&silence(SilenceState::Pending, &[("service", "web")]), &labels), "it has not begun");
        assert!(!mutes(&silence(SilenceState::Active, &[("service", "db")]), &labels));
        assert!(!mutes(&silence(SilenceState::Active, &[("service", "web"), ("alertname", "Slow")]), &labels), "a part of it only");
    }
}
