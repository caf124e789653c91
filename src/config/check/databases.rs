//! Rules about `[[database]]`: its nodes can be reached as they are written, and its limits can be told apart.

use std::collections::HashSet;

use toml::Spanned;

use super::super::bytes;
use super::super::conninfo::{Conninfo, ConninfoError, SslMode};
use super::super::raw::{Key, Raw, Words};
use super::super::report::Report;
use super::sources::{duration, interval};
use super::{missing, word};
use crate::model::database::Limit;
use crate::model::text::is_hostile;

/// The most nodes of one database.
const NODES: usize = 32;

/// What a database needs is there.
pub(super) fn required(raw: &Raw, report: &mut Report<'_>) {
    for database in &raw.database {
        let (at, d) = (database.span().start, database.get_ref());
        missing(report, at, "[[database]]", "name", &d.name, "such as `name = \"main\"`");
        missing(report, at, "[[database]]", "kind", &d.kind, "it is `postgres`");
        missing(report, at, "[[database]]", "nodes", &d.nodes, "such as `nodes = [\"host=db1 user=qd\", \"host=db2 user=qd\"]`");
        word(report, "kind", &d.kind, &super::DATABASES);
    }
}

/// Every node says where it is, once, and holds no password.
pub(super) fn nodes(raw: &Raw, report: &mut Report<'_>) {
    for database in &raw.database {
        let (table, database) = (database.span().start, database.get_ref());
        are_nodes(report, table, &database.nodes);
    }
}

/// Nodes that can be reached as they are written, each once.
pub(super) fn are_nodes(report: &mut Report<'_>, table: usize, nodes: &Words) {
    if let Some(nodes) = nodes {
        if nodes.get_ref().is_empty() && !report.lost(table, "nodes") {
            report.hint(nodes.span().start, "`nodes` is empty", "name the primary and every standby");
        }
        if nodes.get_ref().len() > NODES {
            report.at(nodes.span().start, format!("a database has at most {NODES} nodes"));
        }
        let (mut seen, mut names) = (HashSet::new(), HashSet::new());
        for node in nodes.get_ref() {
            let Some(info) = self::node(report, node) else { continue };
            if !seen.insert(info.address()) {
                report.at(node.span().start, "this node is named twice in `nodes`");
            } else if !names.insert(info.name()) {
                let what = format!("this node would be called `{}` as another is", info.name());
                report.hint(node.span().start, what, "give the sockets folders of different names, or other ports");
            }
        }
    }
}

/// The libpq words of one node; what is wrong with them is told.
pub(super) fn node(report: &mut Report<'_>, written: &Spanned<String>) -> Option<Conninfo> {
    let (at, text) = (written.span().start, written.get_ref().as_str());
    if text.chars().any(is_hostile) {
        report.at(at, "the node holds a control, invisible or direction-changing character");
        return None;
    }
    match Conninfo::parse(text) {
        Err(ConninfoError::Wrong { what, hint }) => report.hint(at, what, hint),
        Err(ConninfoError::Word { what, word, words }) => report.choice(at, what, &word, words),
        Ok(info) => {
            let checked = matches!(info.sslmode, Some(SslMode::VerifyCa | SslMode::VerifyFull));
            if info.sslrootcert.is_some() && info.sslmode.is_some() && !checked {
                report.hint(at, "`sslrootcert` is for `sslmode=verify-full` and `verify-ca`", "the other modes look at no certificate");
            }
            // Any server that a public authority ever signed would do.
            if info.sslmode == Some(SslMode::VerifyCa) && info.sslrootcert.is_none() && info.service.is_none() {
                report.hint(at, "`sslmode=verify-ca` is nothing without `sslrootcert`", "name the authority, or use `verify-full`");
            }
            if info.sslcert.is_some() != info.sslkey.is_some() {
                report.hint(at, "`sslcert` and `sslkey` belong together", "name both files");
            }
            let tls = checked || info.sslcert.is_some();
            if tls && info.host.as_deref().is_some_and(|host| host.starts_with('/')) {
                report.hint(at, "a Unix socket has no TLS", "leave `sslmode` and `sslcert` out");
            }
            return Some(info);
        }
    }
    None
}

/// Times and limits can be read; the critical lag is the greater.
pub(super) fn limits(raw: &Raw, report: &mut Report<'_>) {
    for database in raw.database.iter().map(Spanned::get_ref) {
        interval(report, "every", &database.every);
        interval(report, "timeout", &database.timeout);
        let warn = limit(report, &database.warn);
        let critical = limit(report, &database.critical);
        let at = database.critical.as_ref().map_or(0, |key| key.span().start);
        let wrong = match (warn, critical) {
            (Some(Limit::Bytes(warn)), Some(Limit::Bytes(critical))) => warn >= critical,
            (Some(Limit::Time(warn)), Some(Limit::Time(critical))) => warn >= critical,
            _ => false,
        };
        if wrong {
            report.hint(at, "`critical` is no greater than `warn`", "a warning comes first");
        }
        if let Some(limit) = &database.slot_limit
            && let Err(what) = bytes::parse(limit.get_ref())
        {
            report.at(limit.span().start, what);
        }
        if let Some(share) = &database.connections_warn
            && !(0.01..=1.0).contains(share.get_ref())
        {
            report.hint(share.span().start, "`connections_warn` is no share from 0.01 to 1", "such as 0.85 of the connections");
        }
        for key in [&database.longest_transaction_warn, &database.idle_transaction_warn] {
            if let Some(written) = key
                && duration(report, written).is_some_and(|time| time.is_zero())
            {
                report.at(written.span().start, "it must be more than nothing");
            }
        }
    }
}

fn limit(report: &mut Report<'_>, key: &Key<String>) -> Option<Limit> {
    let key = key.as_ref()?;
    bytes::limit(key.get_ref()).map_err(|what| report.at(key.span().start, what)).ok()
}
