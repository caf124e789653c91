//! Opening another estate in the same terminal: its file is read while this one goes on, and only then is this one left.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::app::ask::Told;
use crate::app::contexts::{Contexts, Looked};
use crate::app::state::{Identity, Look};
use crate::model::estate::Estate;

use super::Options;

/// How long files may take: one may lie on a file server that hangs.
const LIMIT: Duration = Duration::from_secs(5);

/// An estate with all that it is opened with.
#[derive(Debug)]
pub struct Opening {
    /// It.
    pub estate: Arc<Estate>,
    /// How things look.
    pub look: Look,
    /// Who sits where.
    pub identity: Identity,
    /// How it is opened.
    pub options: Options,
    /// The estates that have a name, this one marked as the open one.
    pub contexts: Contexts,
}

/// Reads the files of the estates that have a name. Each call may block.
pub trait Files: Send + Sync + 'static {
    /// What each says, by the estate's name; else why it cannot be used.
    fn look(&self) -> Vec<(String, Result<Looked, String>)>;

    /// All that the estate of that name is opened with.
    ///
    /// # Errors
    /// Why it cannot be opened, a line each.
    fn open(&self, name: &str) -> Result<Opening, Vec<String>>;
}

/// Reads the file of the estate that is wanted, and holds it until the one before is left.
pub struct Switcher {
    files: Arc<dyn Files>,
    ready: Mutex<Option<(String, Opening)>>,
}

impl fmt::Debug for Switcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switcher").finish_non_exhaustive()
    }
}

impl Switcher {
    /// Over these files.
    pub fn new(files: Arc<dyn Files>) -> Switcher {
        Switcher { files, ready: Mutex::new(None) }
    }

    /// What the files say. Files that hang are not told of.
    pub async fn look(&self) -> Told {
        let files = self.files.clone();
        let looked = timeout(LIMIT, spawn_blocking(move || files.look())).await;
        Told::Contexts(looked.ok().and_then(Result::ok).unwrap_or_default())
    }

    /// Makes ready to open the estate of that name.
    pub async fn read(&self, name: String) -> Told {
        let (files, wanted) = (self.files.clone(), name.clone());
        let result = match timeout(LIMIT, spawn_blocking(move || files.open(&wanted))).await {
            Ok(Ok(Ok(opening))) => {
                *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.clone(), opening));
                Ok(())
            }
            Ok(Ok(Err(why))) => Err(why),
            Ok(Err(_)) => Err(vec![format!("{name} cannot be read: this is a defect of qd, the log has more")]),
            Err(_) => Err(vec![format!("{name}: its files took longer than {} s to read", LIMIT.as_secs())]),
        };
        Told::Context(name, result)
    }

    /// Takes out what is ready, where that is the estate of that name.
    pub fn take(&self, name: &str) -> Option<Opening> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.take().filter(|(known, _)| known == name).map(|(_, opening)| opening)
    }
}
