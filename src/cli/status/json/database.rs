//! A database in the JSON of `qd status`: what each node said, and its lag as it was computed.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::database::{Archiver, DatabaseAnswer, Node, Slot, Standby};

/// `database` of one of `sources`.
#[derive(Serialize)]
pub struct DatabaseOut<'a> {
    primaries: Vec<&'a str>,
    last_primary: Option<LastOut<'a>>,
    nodes: Vec<NodeOut<'a>>,
}

#[derive(Serialize)]
struct LastOut<'a> {
    name: &'a str,
    timeline: Option<u32>,
    position: String,
    at: Timestamp,
    gone: Timestamp,
}

#[derive(Serialize)]
struct NodeOut<'a> {
    name: &'a str,
    role: Option<&'static str>,
    error: Option<&'a str>,
    refused: bool,
    version: Option<&'a str>,
    system_identifier: Option<&'a str>,
    timeline: Option<u32>,
    position: Option<String>,
    lag_bytes: Option<u64>,
    lag_seconds: Option<f64>,
    fed_by: Option<&'a str>,
    lacks_bytes: Option<u64>,
    lacks_unseen_seconds: Option<f64>,
    lacks_about_bytes: Option<u64>,
    newest_commit: Option<Timestamp>,
    replay_paused: Option<bool>,
    receiver_status: Option<&'a str>,
    receiver_from: Option<&'a str>,
    receipt_age_seconds: Option<f64>,
    connections: Option<u64>,
    max_connections: Option<u64>,
    reserved_connections: Option<u64>,
    longest_transaction_seconds: Option<f64>,
    longest_transaction_of: Option<&'a str>,
    idle_transaction_seconds: Option<f64>,
    idle_transaction_of: Option<&'a str>,
    max_slot_bytes: Option<u64>,
    synchronous_standby_names: Option<&'a str>,
    standbys: Vec<StandbyOut<'a>>,
    slots: Vec<SlotOut<'a>>,
    archiver: Option<ArchiverOut<'a>>,
    databases: Vec<SizeOut<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct StandbyOut<'a> {
    name: &'a str,
    address: Option<&'a str>,
    state: Option<&'a str>,
    sync: Option<&'a str>,
    slot: Option<&'a str>,
    behind_bytes: Option<u64>,
    replay_lag_seconds: Option<f64>,
}

#[derive(Serialize)]
struct SlotOut<'a> {
    name: &'a str,
    logical: bool,
    active: bool,
    retained_bytes: Option<u64>,
    safe_bytes: Option<u64>,
    status: Option<&'a str>,
}

#[derive(Serialize)]
struct ArchiverOut<'a> {
    failing: bool,
    archived: u64,
    last_archived: Option<&'a str>,
    last_archived_at: Option<Timestamp>,
    failed: u64,
    last_failed: Option<&'a str>,
    last_failed_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct SizeOut<'a> {
    name: &'a str,
    bytes: Option<u64>,
}

pub(super) fn database(answer: &DatabaseAnswer) -> DatabaseOut<'_> {
    DatabaseOut {
        primaries: answer.primaries().map(|(node, _)| node.name.as_str()).collect(),
        last_primary: answer.last_primary.as_ref().map(|last| LastOut {
            name: &last.name,
            timeline: last.timeline,
            position: last.written.to_string(),
            at: last.at,
            gone: last.gone,
        }),
        nodes: answer.nodes.iter().map(|one| node(answer, one)).collect(),
    }
}

fn node<'a>(answer: &'a DatabaseAnswer, node: &'a Node) -> NodeOut<'a> {
    let said = node.said.as_ref();
    let lag = said.and_then(|said| answer.lag(said));
    let bound = said.and_then(|said| answer.bound(said));
    let receiver = said.and_then(|said| said.receiver.as_ref());
    NodeOut {
        name: &node.name,
        role: said.map(|said| said.role()),
        error: node.error.as_deref(),
        refused: node.refused,
        version: said.map(|said| said.version.as_str()),
        system_identifier: said.and_then(|said| said.system.as_deref()),
        timeline: said.and_then(|said| said.timeline),
        position: said.and_then(|said| said.position()).map(|at| at.to_string()),
        lag_bytes: lag.map(|lag| lag.bytes),
        lag_seconds: lag.and_then(|lag| lag.seconds),
        fed_by: said.and_then(|said| answer.feeder(said)).map(|(node, ..)| node.name.as_str()),
        lacks_bytes: bound.map(|bound| bound.behind),
        lacks_unseen_seconds: bound.map(|bound| bound.unseen),
        lacks_about_bytes: bound.and_then(|bound| bound.about),
        newest_commit: said.and_then(|said| said.newest_commit),
        replay_paused: said.filter(|said| said.in_recovery).map(|said| said.replay_paused),
        receiver_status: receiver.and_then(|r| r.status.as_deref()),
        receiver_from: receiver.and_then(|r| r.sender.as_deref()),
        receipt_age_seconds: receiver.and_then(|r| r.receipt_age),
        connections: said.and_then(|said| said.connections),
        max_connections: said.map(|said| said.max_connections),
        reserved_connections: said.map(|said| said.reserved_connections),
        longest_transaction_seconds: said.and_then(|said| said.longest_transaction),
        longest_transaction_of: said.and_then(|said| said.longest_of.as_deref()),
        idle_transaction_seconds: said.and_then(|said| said.longest_idle),
        idle_transaction_of: said.and_then(|said| said.idle_of.as_deref()),
        max_slot_bytes: said.and_then(|said| said.slot_keep),
        synchronous_standby_names: said.map(|said| said.synchronous.as_str()),
        standbys: said.iter().flat_map(|said| &said.standbys).map(standby).collect(),
        slots: said.iter().flat_map(|said| &said.slots).map(slot).collect(),
        archiver: said.and_then(|said| said.archiver.as_ref()).map(archiver),
        databases: said.iter().flat_map(|said| &said.sizes).map(|(name, bytes)| SizeOut { name, bytes: *bytes }).collect(),
        notes: said.map_or(&[], |said| said.notes.as_slice()),
    }
}

fn standby(of: &Standby) -> StandbyOut<'_> {
    StandbyOut {
        name: &of.name,
        address: of.address.as_deref(),
        state: of.state.as_deref(),
        sync: of.sync.as_deref(),
        slot: of.slot.as_deref(),
        behind_bytes: of.behind,
        replay_lag_seconds: of.replay_lag,
    }
}

fn slot(of: &Slot) -> SlotOut<'_> {
    SlotOut {
        name: &of.name,
        logical: of.logical,
        active: of.active,
        retained_bytes: of.retained,
        safe_bytes: of.safe,
        status: of.status.as_deref(),
    }
}

fn archiver(of: &Archiver) -> ArchiverOut<'_> {
    ArchiverOut {
        failing: of.is_failing(),
        archived: of.archived,
        last_archived: of.last_archived.as_deref(),
        last_archived_at: of.last_archived_at,
        failed: of.failed,
        last_failed: of.last_failed.as_deref(),
        last_failed_at: of.last_failed_at,
    }
}
