//! `[connections.<type>]`.

use super::*;

const PUBLIC: &str = "public_url = \"https://notify.example.com\"\n";

#[test]
fn a_section_of_connections_is_read_from_the_file_and_from_variables() {
    let in_file = "[connections.some-app]\nclient_id = \"1.2\"\nclient_secret_file = \"a\"\nsigning_secret_file = \"b\"\n\
                   previous_signing_secret_file = \"c\"";
    let variables = [
        ("PQH_CONNECTIONS_SOME_APP_CLIENT_ID", "1.2"),
        ("PQH_CONNECTIONS_SOME_APP_CLIENT_SECRET_FILE", "a"),
        ("PQH_CONNECTIONS_SOME_APP_SIGNING_SECRET_FILE", "b"),
        ("PQH_CONNECTIONS_SOME_APP_PREVIOUS_SIGNING_SECRET_FILE", "c"),
    ];
    for config in [load(&format!("{PUBLIC}{in_file}"), &[]), load(PUBLIC, &variables)].map(Result::unwrap) {
        let section = &config.connections["some-app"];
        assert_eq!((config.connections.len(), section.client_id.as_str()), (1, "1.2"));
        let files = [
            Some(&section.client_secret_file),
            section.signing_secret_file.as_ref(),
            section.previous_signing_secret_file.as_ref(),
        ];
        assert_eq!(files.map(|file| file.unwrap().to_str().unwrap()), ["a", "b", "c"]);
    }
    // The environment goes before the file, and a part may come from each.
    let parts = "[connections.some-app]\nclient_id = \"file\"\n[connections.other]\nclient_id = \"3\"\nclient_secret_file = \"d\"";
    let config = load(&format!("{PUBLIC}{parts}"), &[variables[0], variables[1]]).unwrap();
    assert_eq!(config.connections["some-app"].client_id, "1.2");
    assert_eq!((config.connections.len(), config.connections["other"].signing_secret_file.is_none()), (2, true));
}

#[test]
fn a_section_of_connections_has_to_be_whole() {
    let whole = "client_id = \"1.2\"\nclient_secret_file = \"a\"\n";
    for (text, expected) in [
        ("client_id = \"1.2\"", "connections.some-app.client_id: there is no client_secret_file beside it"),
        ("client_secret_file = \"a\"", "connections.some-app.client_secret_file: there is no client_id beside it"),
        ("signing_secret_file = \"a\"", "connections.some-app.signing_secret_file: there is no client_id beside it"),
        (
            &format!("{whole}previous_signing_secret_file = \"a\""),
            "connections.some-app.previous_signing_secret_file: there is no signing_secret_file beside it",
        ),
        ("client_id = \" \"\nclient_secret_file = \"a\"", "client_id: expected the application's client id"),
        ("client_id = 12\nclient_secret_file = \"a\"", "client_id: expected the application's client id"),
        (
            &format!("{whole}client_secret = \"canary\""),
            "connections.some-app.client_secret: nobody knows this key; [connections.some-app] has client_id, \
             client_secret_file, previous_signing_secret_file, signing_secret_file",
        ),
    ] {
        let message = refused(&format!("{PUBLIC}[connections.some-app]\n{text}"));
        assert!(message.starts_with("pqh.toml, line ") && message.contains(expected), "{text}: {message}");
        assert!(!message.contains("canary"), "{message}");
    }
    let message = refused("[connections]\nsome-app = \"x\"");
    assert!(message.contains("expected a section of a channel type, such as [connections.some-app]"), "{message}");
    let message = refused_variable("PQH_CONNECTIONS_SOME_APP_CLIENT_SECRET", "canary");
    assert!(message.starts_with("the variable PQH_CONNECTIONS_SOME_APP_CLIENT_SECRET: "), "{message}");
    let expected = "expected PQH_CONNECTIONS_TYPE_ and one of PREVIOUS_SIGNING_SECRET_FILE, SIGNING_SECRET_FILE, \
                    CLIENT_SECRET_FILE, CLIENT_ID; found PQH_CONNECTIONS_SOME_APP_CLIENT_SECRET";
    assert!(message.contains(expected) && !message.contains("canary"), "{message}");
}

#[test]
fn connections_need_a_public_url_by_tls() {
    let section = "[connections.some-app]\nclient_id = \"1.2\"\nclient_secret_file = \"a\"\n";
    let message = refused(section);
    assert!(
        message
            .starts_with("pqh.toml, line 2: connections.some-app.client_id: there is no public_url: people come back"),
        "{message}"
    );
    let with = |url: &str| load(&format!("public_url = \"{url}\"\n{section}"), &[]);
    let message = with("http://notify.example.com").unwrap_err();
    assert!(
        message.starts_with("pqh.toml, line 1: public_url: expected https, since there is [connections.some-app]"),
        "{message}"
    );
    assert!(message.ends_with("found http://notify.example.com/"), "{message}");
    for url in ["http://localhost.example.com", "http://10.0.0.1", "http://[::2]:80", "http://0.0.0.0"] {
        assert!(with(url).is_err(), "{url}");
    }
    let own = ["http://localhost:7070", "http://127.0.0.2", "http://[::1]:7070", "http://pqh.localhost"];
    for url in own.into_iter().chain(["https://notify.example.com:8443"]) {
        assert!(with(url).is_ok(), "{url}");
    }
    assert!(load("public_url = \"http://notify.example.com\"", &[]).is_ok());
}

#[test]
fn an_applications_secrets_are_read_from_their_files_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let section = ConnectionConfig {
        client_id: "1.2".to_owned(),
        client_secret_file: file("client"),
        signing_secret_file: Some(file("signing")),
        previous_signing_secret_file: None,
    };
    let client = || section.client_secret("some-app").unwrap_err().to_string();
    let signing = || section.signing_secrets("some-app").unwrap_err().to_string();
    let begins =
        |key: &str, name: &str| format!("the configuration: connections.some-app.{key}: {}: ", file(name).display());
    assert!(client().starts_with(&format!("{}No such file", begins("client_secret_file", "client"))), "{}", client());
    assert!(signing().starts_with(&begins("signing_secret_file", "signing")), "{}", signing());
    for name in ["client", "signing"] {
        std::fs::write(file(name), " \n").unwrap();
    }
    assert!(client().ends_with(": expected a secret; found nothing"), "{}", client());
    assert!(signing().ends_with(": expected a secret; found nothing"), "{}", signing());
    for name in ["client", "signing"] {
        std::fs::write(file(name), b"canary\xff").unwrap();
    }
    assert!(!client().contains("canary") && !signing().contains("canary"), "{}", client());
    for name in ["client", "signing"] {
        std::fs::write(file(name), format!("canary-{name}\n")).unwrap();
    }
    let (client, signing) = (section.client_secret("some-app").unwrap(), section.signing_secrets("some-app").unwrap());
    assert_eq!(secrecy::ExposeSecret::expose_secret(&client), "canary-client");
    assert_eq!((signing.len(), secrecy::ExposeSecret::expose_secret(&signing[0])), (1, "canary-signing"));
    assert!(!format!("{section:?} {client:?} {signing:?}").contains("canary"));
}
