//! The JSON Schema of the estate file (draft 2020-12), for editors: made from the types that read it, so that it
//! cannot name another key than they do. What it cannot say, names that lead nowhere for one, is `qd check`'s.

use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};

use super::raw::Raw;

/// The schema.
pub fn estate() -> Schema {
    let mut schema = schemars::schema_for!(Raw);
    RecursiveTransform(without_null).transform(&mut schema);
    schema
}

/// TOML has no null: a key that may be left out is left out.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(types) = object.get_mut("type")
        && let Some(only) = types.as_array_mut().and_then(|all| {
            all.retain(|t| t != "null");
            (all.len() == 1).then(|| all.remove(0))
        })
    {
        *types = only;
    }
    let Some(mut choices) = object.remove("anyOf") else { return };
    if let Some(all) = choices.as_array_mut() {
        all.retain(|choice| choice.get("type").is_none_or(|t| t != "null"));
        if let [only] = all.as_mut_slice()
            && let Some(only) = only.as_object_mut()
        {
            object.extend(std::mem::take(only));
            return;
        }
    }
    object.insert("anyOf".to_owned(), choices);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn schema() -> Value {
        serde_json::to_value(estate()).unwrap()
    }

    /// What the schema says against a TOML text.
    fn against(text: &str) -> Vec<String> {
        let instance: Value = serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema()).unwrap();
        validator.iter_errors(&instance).map(|e| format!("{} {e}", e.instance_path())).collect()
    }

    #[test]
    fn the_example_estates_and_the_whole_one_are_right_by_it() {
        for text in [
            include_str!("../../examples/gov-cloud/estate.toml"),
            include_str!("../../examples/legal-rag/estate.toml"),
            include_str!("../../examples/licensing-portal/estate.toml"),
            include_str!("../../examples/opmas/estate.toml"),
            include_str!("../../examples/plain/estate.toml"),
            include_str!("../../examples/storefront/estate.toml"),
            include_str!("../../examples/vps-django/estate.toml"),
            super::super::load::tests::WHOLE,
        ] {
            assert_eq!(against(text), Vec::<String>::new());
        }
    }

    #[test]
    fn wrong_words_keys_and_kinds_of_values_are_wrong_by_it() {
        let whole = super::super::load::tests::WHOLE;
        for (right, wrong) in [
            ("version = 1", "version = 2"),
            ("role = \"standby\"", "role = \"backup\""),
            ("kind = \"prometheus\"", "kind = \"promethus\""),
            ("unit = \"ratio\"", "unit = \"percent\""),
            ("severity = \"critical\"", "severity = \"page\""),
            ("environment", "enviroment"),
            ("above = 1000", "abov = 1000"),
            ("above = 1000", "above = \"1000\""),
            ("above = 1000", "above = 1000\nbelow = 1"),
            ("within = \"4h\"", ""),
            ("status = 204", "status = 42"),
            ("status = 204", "code = 204"),
            ("q = 0.95", "q = 95"),
            ("q = 0.95, ", ""),
            ("of = \"http_requests_total\"", "off = \"http_requests_total\""),
            ("value = \"process_open_fds\"", "value = 1"),
            ("value = \"process_open_fds\"", ""),
            ("value = \"process_open_fds\"", "value = \"process_open_fds\"\nquery = \"up\""),
            ("tcp = \"db1:5432\"", ""),
            ("urls = [\"http://am1:9093\", \"http://am2:9093\"]", "urls = []"),
            ("urls = [\"http://am1:9093\", \"http://am2:9093\"]", ""),
            ("start = [\"systemctl\", \"start\", \"web@$site\"]", "start = \"systemctl start web\""),
        ] {
            let text = whole.replacen(right, wrong, 1);
            assert_ne!(text, whole, "{right} does not stand in the text");
            assert!(!against(&text).is_empty(), "{wrong:?} in place of {right:?} is right by the schema");
        }
        assert!(!against("version = 1\n[estate]\nname = 'e'\nenvironment = 'test'").is_empty(), "nothing to watch");
    }

    #[test]
    fn every_key_has_a_description_and_no_table_takes_another_key() {
        fn walk(schema: &Value, path: &str, keys: &mut usize) {
            if let Some(properties) = schema["properties"].as_object().filter(|_| schema.get("additionalProperties").is_some()) {
                assert_eq!(schema["additionalProperties"], Value::Bool(false), "{path}");
                for (key, value) in properties {
                    *keys += 1;
                    assert!(value["description"].as_str().is_some_and(|d| d.len() > 5), "{path}.{key} has no description");
                }
            }
            match schema {
                Value::Object(all) => all.iter().for_each(|(key, value)| walk(value, &format!("{path}.{key}"), keys)),
                Value::Array(all) => all.iter().for_each(|value| walk(value, path, keys)),
                _ => {}
            }
            assert!(schema.get("type").is_none_or(|t| t != "null" && !t.is_array()), "{path}: {schema}");
        }
        let schema = schema();
        let mut keys = 0;
        walk(&schema, "", &mut keys);
        // Every key that the reader takes: what the loader's own test lists.
        let known: std::collections::BTreeSet<(&str, &str)> = super::super::load::tests::KEYS.iter().map(|(t, k, ..)| (*t, *k)).collect();
        assert_eq!(keys, known.len());
    }
}
