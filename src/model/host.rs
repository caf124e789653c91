//! Machines, and how each is reached.

use std::fmt;
use std::path::PathBuf;

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in the estate file.
    pub name: String,
    /// The site that it stands at.
    pub site: Option<String>,
    /// Where ssh finds it, as ssh takes it; this machine where `None`.
    pub ssh: Option<String>,
    /// The configuration that ssh reads instead of its own.
    pub ssh_config: Option<PathBuf>,
    /// What its `/etc/machine-id` holds: whatever runs there proves it first.
    pub machine_id: Option<String>,
}

impl fmt::Display for Host {
    /// `web1 at fra1, by ssh as deploy@web1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(site) = &self.site {
            write!(f, " at {site}")?;
        }
        match &self.ssh {
            Some(ssh) => write!(f, ", by ssh as {ssh}")?,
            None => write!(f, ", this machine")?,
        }
        if let Some(config) = &self.ssh_config {
            write!(f, " (configuration {})", config.display())?;
        }
        if let Some(id) = &self.machine_id {
            write!(f, ", machine-id {id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_says_how_it_is_reached() {
        let here = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: None };
        assert_eq!(here.to_string(), "web1, this machine");
        let there = Host {
            site: Some("fra1".into()),
            ssh: Some("deploy@web1".into()),
            ssh_config: Some("/e/ssh.conf".into()),
            machine_id: Some("3f".into()),
            ..here
        };
        assert_eq!(there.to_string(), "web1 at fra1, by ssh as deploy@web1 (configuration /e/ssh.conf), machine-id 3f");
    }
}
