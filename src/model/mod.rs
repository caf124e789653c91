//! The nouns of an estate and the computations on them. Pure: no clock, no network, no terminal; time is passed in.

pub mod age;
pub mod alert;
pub mod backup;
pub mod calendar;
pub mod change;
pub mod database;
pub mod deployment;
pub mod due;
pub mod estate;
pub mod finding;
pub mod form;
pub mod health;
pub mod history;
pub mod label;
pub mod metric;
pub mod needs;
pub mod panel;
pub mod preferences;
pub mod problem;
pub mod reading;
pub mod selector;
pub mod silence;
pub mod source;
pub mod text;
pub mod timeline;
