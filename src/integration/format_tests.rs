use proptest::prelude::*;

use super::*;

const CODEX: &str = "# mine\nmodel = \"gpt-5\" # fast\n\n[model_providers.corp]\nbase_url = \"https://llm.example.net/v1\"\n\n\n[profiles.work]\nmodel_provider = \"corp\"\n";

#[test]
fn toml_keeps_everything_else_and_comes_back_byte_for_byte() {
    let format = Format::Toml;
    let pointed = format.set(CODEX, &["model_provider"], "flowgate").unwrap();
    let pointed = format.set(&pointed, &["model"], "router-default").unwrap();
    let url = ["model_providers", "flowgate", "base_url"];
    let pointed = format
        .set(&pointed, &url, "http://127.0.0.1:4000/v1")
        .unwrap();
    assert!(
        pointed.starts_with(
            "# mine\nmodel = \"router-default\" # fast\nmodel_provider = \"flowgate\"\n"
        ),
        "{pointed}"
    );
    assert_eq!(pointed.matches("model = ").count(), 1);
    assert_eq!(pointed.matches("[model_providers.flowgate]").count(), 1);
    let back = format.unset(&pointed, &url).unwrap();
    let back = format.unset(&back, &["model_provider"]).unwrap();
    let back = format.set(&back, &["model"], "gpt-5").unwrap();
    assert_eq!(back, CODEX);
}

#[test]
fn a_base_url_on_the_last_line_of_its_section_glues_nothing() {
    let url = ["model_providers", "corp", "base_url"];
    let new = Format::Toml.set(CODEX, &url, "http://127.0.0.1:4000/v1");
    let new = new.unwrap();
    assert!(new.contains("\n\n\n[profiles.work]\n"), "{new}");
    assert_eq!(Format::Toml.line(&new, &url), Some(5));
}

#[test]
fn json_keeps_its_layout_in_every_style() {
    let path = ["env", "ANTHROPIC_BASE_URL"];
    for (old, new) in [
        (
            "{}",
            "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"u\"\n  }\n}",
        ),
        (
            "{\"a\":1}",
            "{\"a\":1,\"env\": {\n    \"ANTHROPIC_BASE_URL\": \"u\"\n  }}",
        ),
        (
            "{\n\t\"env\": {\n\t\t\"X\": \"1\"\n\t},\n\t\"z\": []\n}\n",
            "{\n\t\"env\": {\n\t\t\"X\": \"1\",\n\t\t\"ANTHROPIC_BASE_URL\": \"u\"\n\t},\n\t\"z\": []\n}\n",
        ),
        (
            "{\"env\": {\"ANTHROPIC_BASE_URL\": \"old \\\" }\"}}",
            "{\"env\": {\"ANTHROPIC_BASE_URL\": \"u\"}}",
        ),
    ] {
        let set = Format::Json.set(old, &path, "u").unwrap();
        assert_eq!(set, new);
        if !old.contains("BASE_URL") {
            let back = Format::Json.unset(&set, &path).unwrap();
            assert_eq!(back.replace([' ', '\n'], ""), old.replace([' ', '\n'], ""));
        }
    }
}

#[test]
fn what_cannot_be_edited_alone_is_refused() {
    let path = ["env", "X"];
    for text in ["{\"env\": 5}", "[]", "{\"env\": {\"X\": 1}", "{", ""] {
        assert!(Format::Json.set(text, &path, "v").is_err(), "{text}");
    }
    let path = ["model_providers", "flowgate", "name"];
    for text in ["model_providers = 5", "a = ", "[a]\n[a]"] {
        assert!(Format::Toml.set(text, &path, "v").is_err(), "{text}");
    }
    assert_eq!(
        Format::Json
            .check("{\n  \"a\": 1,\n}")
            .unwrap_err()
            .to_string(),
        "line 3 is no JSON"
    );
}

#[test]
fn the_last_line_of_a_variable_counts_and_export_stays() {
    let text = "# env\nexport OPENAI_BASE_URL='http://a'\nOTHER=1\n";
    let path = ["OPENAI_BASE_URL"];
    assert_eq!(
        Format::Lines.get(text, &path).unwrap().as_deref(),
        Some("http://a")
    );
    let new = Format::Lines.set(text, &path, "http://b").unwrap();
    assert_eq!(new, "# env\nexport OPENAI_BASE_URL=http://b\nOTHER=1\n");
    assert_eq!(
        Format::Lines.unset(&new, &path).unwrap(),
        "# env\nOTHER=1\n"
    );
    assert_eq!(
        Format::Lines.set("A=1", &path, "u").unwrap(),
        "A=1\nOPENAI_BASE_URL=u\n"
    );
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-c]|.{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn an_edit_of_any_json_changes_one_value_or_nothing(
        value in json_value(),
        is_pretty in any::<bool>(),
        key in "[a-c]",
        new in ".{0,12}",
    ) {
        let text = match is_pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        let path = ["a", key.as_str()];
        if let Ok(set) = Format::Json.set(&text, &path, &new) {
            let read: serde_json::Value = serde_json::from_str(&set).unwrap();
            prop_assert_eq!(read["a"][key.as_str()].as_str(), Some(new.as_str()));
            let mut expected = value.clone();
            if !expected["a"].is_object() {
                prop_assert!(expected.get("a").is_none());
                expected["a"] = serde_json::json!({});
            }
            expected["a"][key.as_str()] = new.into();
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn no_text_makes_an_edit_panic(text in ".{0,80}", value in ".{0,8}") {
        for format in [Format::Toml, Format::Json, Format::Lines] {
            let _ = format.set(&text, &["env", "X"], &value);
            let _ = format.unset(&text, &["env", "X"]);
            let _ = format.line(&text, &["env", "X"]);
        }
    }
}
