//! `qd schema`: the JSON Schema of the estate file, for editors.

use std::io::Write;

use crate::config::schema;

use super::failure::Failure;
use super::{OK, settings};

/// Prints it.
pub fn run(out: &mut dyn Write) -> Result<u8, Failure> {
    settings::json(&schema::estate(), out)?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_json_document_with_the_tables_of_an_estate() {
        let mut out = Vec::new();
        assert_eq!(run(&mut out).unwrap(), OK);
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let tables: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        for table in ["version", "estate", "site", "service", "source", "panel", "rule"] {
            assert!(tables.iter().any(|t| *t == table), "{tables:?}");
        }
    }
}
