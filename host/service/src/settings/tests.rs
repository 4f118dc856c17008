//! Settings as people write them.

use pqh_runtime::SecretSource as _;

use super::*;

fn field(key: &str, kind: FieldKind) -> Field {
    let (label, help) = (key.to_owned(), String::new());
    let (rules, hints) = (Vec::new(), Vec::new());
    Field { key: key.to_owned(), label, help, required: false, kind, default: None, rules, hints }
}

fn descriptor(fields: Vec<Field>) -> Descriptor {
    Descriptor {
        id: "test".to_owned(),
        name: String::new(),
        summary: String::new(),
        fields,
        destinations: Vec::new(),
        credentials: Vec::new(),
        target: Vec::new(),
        paces: Vec::new(),
        digests: false,
        hints: Vec::new(),
    }
}

fn set(key: &str, value: &str) -> Vec<(String, String)> {
    vec![(key.to_owned(), value.to_owned())]
}

fn coerced(kind: FieldKind, value: &str) -> Result<Value, String> {
    let filled = fill(&descriptor(vec![field("a", kind)]), &set("a", value), false);
    filled.map(|filled| filled.settings["a"].clone()).map_err(|error| error.message)
}

#[test]
fn values_take_the_kind_of_their_field() {
    assert_eq!(coerced(FieldKind::Text, "12"), Ok(json!("12")));
    assert_eq!(coerced(FieldKind::Number, "12"), Ok(json!(12)));
    assert_eq!(coerced(FieldKind::Number, "1.5"), Ok(json!(1.5)));
    assert_eq!(coerced(FieldKind::Toggle, "Yes"), Ok(json!(true)));
    assert_eq!(coerced(FieldKind::EmailList, "a@x.example, b@x.example,"), Ok(json!(["a@x.example", "b@x.example"])));
    assert_eq!(coerced(FieldKind::Number, "many"), Err("a: expected a number, found \"many\"".to_owned()));
    assert!(coerced(FieldKind::Number, "NaN").is_err());
    assert!(coerced(FieldKind::Toggle, "maybe").is_err());
}

#[test]
fn an_unknown_key_is_refused_with_the_fields() {
    let error = fill(&descriptor(vec![field("url", FieldKind::SecretUrl)]), &set("urll", "x"), false).err().unwrap();
    assert_eq!(error.message, "test has no field \"urll\"; it has\n  url  url (secret-url)");
    assert_eq!(error.details["fields"], json!(["url"]));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let twice = [set("a", "1"), set("a", "2")].concat();
    let error = fill(&descriptor(vec![field("a", FieldKind::Text)]), &twice, false).err().unwrap();
    assert_eq!(error.code, "setting-twice");
}

#[test]
fn standard_input_cannot_be_the_event_and_a_secret() {
    let descriptor = descriptor(vec![field("url", FieldKind::SecretUrl), field("note", FieldKind::Text)]);
    assert_eq!(fill(&descriptor, &set("url", "-"), true).err().unwrap().code, "stdin-twice");
    assert!(fill(&descriptor, &set("note", "-"), true).is_ok());
}

#[test]
fn a_secret_is_kept_apart_from_the_settings() {
    let filled = fill(&descriptor(vec![field("k", FieldKind::Secret)]), &set("k", "s"), false).unwrap();
    assert!(filled.settings.is_empty());
    assert!(filled.secrets.facts("k").is_some());
}

#[test]
fn the_environment_variable_is_named_after_the_key() {
    assert_eq!(variable("routing-key"), "PQH_SET_ROUTING_KEY");
}

#[test]
fn a_service_gets_settings_and_secrets_as_they_were_given_and_no_defaults() {
    let mut note = field("note", FieldKind::Text);
    note.default = Some("said by nobody".to_owned());
    let fields = [field("key", FieldKind::Secret), field("many", FieldKind::Number), note];
    let given = [set("key", "s"), set("many", "3")].concat();
    let form = Form { id: "test", fields: &fields };
    let filled = fill_for_service(form, &given, Environment::Ignored).unwrap();
    assert_eq!(Value::Object(filled), json!({ "key": "s", "many": 3 }));
}

#[test]
fn each_kind_is_found_by_its_name() {
    let choice = ChoiceOption { value: "a".to_owned(), label: "A".to_owned() };
    let kinds = [
        FieldKind::Text,
        FieldKind::Secret,
        FieldKind::SecretUrl,
        FieldKind::Url,
        FieldKind::EmailList,
        FieldKind::Number,
        FieldKind::LongText,
        FieldKind::Choice(vec![choice.clone()]),
        FieldKind::Toggle,
        FieldKind::SecretHeaders,
        FieldKind::Target,
    ];
    for kind in kinds {
        let name = kind_name(&kind);
        assert_eq!(kind_name(&kind_named(name, vec![choice.clone()])), name);
    }
    assert!(matches!(kind_named("of-tomorrow", Vec::new()), FieldKind::Text));
}
