//! What keys and data mean: state, actions, keymap, layers, update. Pure: time comes in with each message.

pub mod action;
pub mod ask;
pub mod databases;
pub mod deployments;
pub mod derive;
pub mod effect;
pub mod filter;
pub mod focus;
pub mod grid;
pub mod key;
pub mod keymap;
pub mod layer;
pub mod list;
pub mod mark;
pub mod message;
pub mod overview;
pub mod page;
pub mod palette;
pub mod pane;
pub mod row;
pub mod state;
pub mod subject;
pub mod timeline;
pub mod update;
pub mod when;
pub mod wrap;
