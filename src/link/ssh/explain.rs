//! Turns what ssh says into one plain line: what, where, and what to do. Its words are those of OpenSSH 7.6 to 10.

use crate::link::http::LinkError;
use crate::link::http::explain::{refused, unreachable};

/// Why there is no connection. `typed` is how a person would try it.
pub(super) fn failed(name: &str, typed: &str, errors: &str) -> LinkError {
    let has = |words: &str| errors.contains(words);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return refused(format!(
            "{name}: its host key is not the one that is known: someone may stand in between, or it was set up anew; \
             only where you know which, take the old key out (`ssh-keygen -R`) and connect once by `{typed}`"
        ));
    }
    if has("host key is known for") || has("Host key verification failed") || has("REVOKED HOST KEY") {
        return refused(format!("{name}: its host key is not known: connect once by `{typed}` and compare the fingerprint"));
    }
    if has("Permission denied (") || has("Too many authentication failures") {
        return refused(format!("{name}: no key of ours was accepted ({}); `{typed}` must work without a question", last(errors)));
    }
    if has("Bad owner or permissions") || has("UNPROTECTED PRIVATE KEY FILE") {
        return refused(format!("{name}: ssh takes a file of ours for unsafe: {}", last(errors)));
    }
    if has("Bad configuration option") || has("Can't open user config file") || has("terminating,") || has("Bad stdio forwarding") {
        return unreachable(format!("{name}: ssh does not take its configuration: {}; try `{typed}`", last(errors)));
    }
    if has("Could not resolve hostname") {
        return unreachable(format!("{name}: {}; is the name in `ssh` right, and does the resolver answer?", last(errors)));
    }
    if has("timed out") || has("Timeout, server") {
        return unreachable(format!("{name}: no answer in time ({}): is it up, and does a firewall let port 22 through?", last(errors)));
    }
    if has("Connection refused") {
        return unreachable(format!("{name}: nothing listens there ({}): does sshd run?", last(errors)));
    }
    if errors.trim().is_empty() {
        return unreachable(format!("{name}: the connection broke off without a word of ssh; does `{typed}` connect?"));
    }
    unreachable(format!("{name}: the connection failed: {}; try `{typed}`", last(errors)))
}

/// What it said last.
fn last(errors: &str) -> &str {
    errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("ssh says nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(errors: &str) -> String {
        format!("{:?}", failed("web1", "ssh deploy@web1", errors))
    }

    #[test]
    fn keys_are_refusals_and_the_network_is_not() {
        let changed =
            "@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nIT IS POSSIBLE\nHost key verification failed.\r\n";
        assert!(told(changed).starts_with("Refused(\"web1: its host key is not the one that is known"), "{}", told(changed));
        let unknown =
            "No ED25519 host key is known for [127.0.0.1]:4 and you have requested strict checking.\r\nHost key verification failed.\r\n";
        assert!(told(unknown).starts_with("Refused(\"web1: its host key is not known: connect once by `ssh deploy@web1`"));
        let denied = "deploy@web1: Permission denied (publickey).\r\n";
        assert!(told(denied).starts_with("Refused(\"web1: no key of ours was accepted (deploy@web1: Permission denied"));
        for (said, word) in [
            ("ssh: Could not resolve hostname web1: Name or service not known\r\n", "resolver"),
            ("ssh: connect to host web1 port 22: Connection timed out\r\n", "is it up"),
            ("ssh: connect to host web1 port 22: Connection refused\r\n", "does sshd run"),
            (
                "/e/ssh.conf: line 1: Bad configuration option: x\r\n/e/ssh.conf: terminating, 1 bad configuration options\r\n",
                "configuration",
            ),
            ("kex_exchange_identification: read: Connection reset by peer\r\n\x1b[2J\n", "the connection failed"),
            ("", "without a word"),
        ] {
            let told = told(said);
            assert!(told.starts_with("Unreachable(") && told.contains(word) && !told.contains('\x1b'), "{told}");
        }
    }
}
