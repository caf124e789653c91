//! Step 1 of a service act: what is done, and on which hosts. Nothing is chosen at first but the hosts, all of them. Its
//! snapshots are `processes_*`.

use crate::app::action::Action;
use crate::app::ask::WishOf;
use crate::app::layer::Scope;
use crate::app::state::State;
use crate::model::estate::Estate;
use crate::model::plan::Deed;
use crate::model::preferences::Token;

use super::{Sheet, row};

/// What a person chose before there is a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Processes {
    /// The service.
    pub service: String,
    /// What is done; `None` before it is chosen.
    pub deed: Option<Deed>,
    /// The acts that are offered, each with why it cannot be done.
    pub offered: Vec<(Deed, Option<String>)>,
    /// Its hosts, in the order of the estate file, each with whether it is done there.
    pub hosts: Vec<(String, bool)>,
    /// The line that is selected: first the acts, then the hosts.
    pub selected: usize,
}

impl Processes {
    /// Of that service; why none of it can be done, where that is so. The cursor is on `deed`, which is chosen then.
    pub fn of(estate: &Estate, service: &str, deed: Option<Deed>) -> (Processes, Option<String>) {
        let of = estate.service(service);
        let offered: Vec<(Deed, Option<String>)> =
            Deed::SERVICE.into_iter().map(|deed| (deed, of.and_then(|of| estate.no_act(of, deed)))).collect();
        let why = |deed| offered.iter().find(|(one, _)| *one == deed).and_then(|(_, why)| why.clone());
        let refused = match deed {
            Some(deed) => why(deed),
            None if offered.iter().all(|(_, why)| why.is_some()) => why(Deed::Restart),
            None => None,
        };
        let hosts = estate.hosts_of(service).into_iter().map(|host| (host.to_owned(), true)).collect();
        let selected = deed.and_then(|deed| offered.iter().position(|(one, _)| *one == deed)).unwrap_or(0);
        (Processes { service: service.to_owned(), deed, offered, hosts, selected }, refused)
    }

    /// The hosts on which it is done, by name.
    pub fn chosen(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().filter(|(_, on)| *on).map(|(host, _)| host.as_str())
    }

    /// True where a host of it is left as it is.
    pub fn is_part(&self) -> bool {
        self.hosts.iter().any(|(_, on)| !on)
    }

    /// What a plan is asked for; `None` before what is done is chosen.
    pub fn wish(&self) -> Option<WishOf> {
        let hosts = if self.is_part() { self.chosen().map(str::to_owned).collect() } else { Vec::new() };
        Some(WishOf::Processes { deed: self.deed?, service: self.service.clone(), hosts })
    }

    /// That the choice can be left.
    ///
    /// # Errors
    /// What must be chosen first, as a sentence. `key` is the key that chooses.
    pub fn settle(&self, key: &str) -> Result<(), String> {
        if self.deed.is_none() {
            return Err(format!("choose first what is done: {key} on restart, stop or start"));
        }
        if self.chosen().next().is_none() {
            return Err("choose a host: on none nothing is done".to_owned());
        }
        Ok(())
    }

    /// Lines that can be selected.
    pub fn len(&self) -> usize {
        self.offered.len() + self.hosts.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Selects another line.
    pub fn walk(&mut self, by: isize) {
        let last = (self.offered.len() + self.hosts.len()).saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Chooses the selected act, or takes the selected host in or out.
    ///
    /// # Errors
    /// Why that cannot be, as a sentence.
    pub fn toggle(&mut self) -> Result<(), String> {
        match self.offered.get(self.selected) {
            Some((_, Some(why))) => return Err(why.clone()),
            Some((deed, None)) => self.deed = Some(*deed),
            None => {
                let at = self.selected.saturating_sub(self.offered.len());
                if let Some((_, on)) = self.hosts.get_mut(at) {
                    *on = !*on;
                }
            }
        }
        Ok(())
    }

    /// `RESTART  web on web2`: what it is about, on every page.
    pub fn title(&self) -> String {
        let word = self.deed.map_or("RESTART, STOP OR START".to_owned(), |deed| deed.word().to_uppercase());
        let on: Vec<&str> = self.chosen().collect();
        let on = match (self.is_part(), on.as_slice()) {
            (false, _) => String::new(),
            (true, [one]) => format!(" on {one}"),
            (true, some) => format!(" on {} of {} hosts", some.len(), self.hosts.len()),
        };
        format!("{word}  {}{on}", self.service)
    }
}

/// What an act does, in a few words.
fn about(deed: Deed) -> &'static str {
    match deed {
        Deed::Restart => "stop what runs and start it again, host by host",
        Deed::Stop => "stop it; it stays stopped until it is started",
        _ => "start it where it does not run",
    }
}

/// Its lines.
pub(super) fn sheet(state: &State, of: &Processes, width: u16, sheet: &mut Sheet) {
    let key = state.keymap.key_for(Scope::Wizard, Action::Toggle).map_or_else(|| "?".to_owned(), |key| key.to_string());
    let line = |sheet: &mut Sheet, place: usize, text: &str, dim: bool| sheet.choice(state, width, place, place == of.selected, dim, text);
    sheet.rows.push(row(&format!("WHAT  is done; {key} chooses"), Token::Title));
    for (place, (deed, why)) in of.offered.iter().enumerate() {
        let mark = if of.deed == Some(*deed) { '*' } else { ' ' };
        let text = why.as_ref().map_or_else(|| about(*deed).to_owned(), |why| format!("- {why}"));
        line(sheet, place, &format!("({mark}) {:8} {text}", deed.word()), why.is_some());
    }
    sheet.rows.push(row("", Token::Text));
    sheet.rows.push(row(&format!("WHERE  it is done, in this order; {key} leaves a host as it is"), Token::Title));
    for (place, (host, on)) in of.hosts.iter().enumerate() {
        line(sheet, of.offered.len() + place, &format!("[{}] {host}", if *on { 'x' } else { ' ' }), !on);
    }
    let told = match of.deed {
        None => "nothing is asked of a host before what is done is chosen".to_owned(),
        Some(deed) => format!("{} hosts; the next page asks each of them and shows what a {} does", of.chosen().count(), deed.word()),
    };
    sheet.foot = vec![row(&"-".repeat(usize::from(width)), Token::Border), row(&told, Token::Dim)];
}
