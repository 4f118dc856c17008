//! What a configuration says, and each way in which it can be wrong.

mod connections;

use std::time::Duration;

use pqh_runtime::MailTls;

use super::*;

/// Loads a file that is called `pqh.toml`, and gives errors without its folder.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pqh.toml");
    std::fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let folder = format!("{}/", folder.path().display());
    Config::load(Some(&path), variables).map_err(|error| error.to_string().replace(&folder, ""))
}

fn refused(text: &str) -> String {
    load(text, &[]).unwrap_err()
}

fn refused_variable(name: &str, value: &str) -> String {
    load("", &[(name, value)]).unwrap_err()
}

#[test]
fn an_empty_file_is_the_default() {
    let config = load("", &[]).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    assert_eq!(config.listen.to_string(), "127.0.0.1:7070");
    let limits = config.runtime_limits();
    assert_eq!(format!("{limits:?}"), format!("{:?}", pqh_runtime::Limits::default()));
}

#[test]
fn every_key_of_a_file_is_read() {
    let config = load(
        r#"
        listen = "[::1]:8080"
        public_url = "https://notify.example.com"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        database = "sqlite:other.db"
        plugins = "channels"
        master_key_file = "a.key"
        operator_token_file = "a.token"
        cache_dir = "cache"
        [limits]
        memory_mib = 32
        deadline_seconds = 10
        response_kib = 2_048
        concurrency = 0x10
        body_kib = 64
        requests_per_second = 7
        queue = 8
        database_mib = 9
        [egress]
        proxy = "http://proxy.example.com:3128"
        extra_ca = ["ca.pem"]
        upstreams = { "api.example.com" = "http://127.0.0.1:4700" }
        [[egress.allow_private]]
        network = "10.0.0.0/8"
        hosts = ["*.corp.example.com"]
        [mail]
        relay = "smtp.example.com:2525"
        tls = "implicit"
        from = "PyQueryHub <alerts@example.com>"
        user = "alerts"
        password_file = "relay.password"
        extra_ca = ["relay.pem"]
        domains = ["example.com", "*.example.com"]
        connections = 2
        hello = "notify.example.com"
        [retry]
        first_seconds = 2
        longest_seconds = 3
        give_up_hours = 4
        unknown_outcome_minutes = [5, 6]
        lost_leases = 7
        held_days = 8
        [retention]
        delivered_days = 1
        failed_days = 2
        idempotency_hours = 25
        [log]
        format = "json"
        level = "debug"
        [shutdown]
        seconds = 3
        "#,
        &[],
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:8080");
    assert_eq!(config.public_url.as_ref().unwrap().as_str(), "https://notify.example.com/");
    assert_eq!(config.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse::<IpNet>().unwrap()]);
    assert_eq!(config.database, "sqlite:other.db");
    let paths = [&config.master_key_file, &config.operator_token_file].map(|path| path.to_str().unwrap());
    assert_eq!(paths, ["a.key", "a.token"]);
    assert_eq!((config.plugins, config.cache_dir), (Some("channels".into()), Some("cache".into())));
    let limits = &config.limits;
    assert_eq!((limits.memory_bytes, limits.response_bytes, limits.body_bytes), (32 << 20, 2 << 20, 64 << 10));
    assert_eq!((limits.concurrency, limits.queue, limits.database_bytes), (16, 8, Some(9 << 20)));
    assert_eq!((limits.deadline, limits.requests_per_second.get()), (Duration::from_secs(10), 7));
    assert_eq!(config.egress.proxy.as_deref(), Some("http://proxy.example.com:3128"));
    assert_eq!(config.egress.extra_ca, [PathBuf::from("ca.pem")]);
    assert_eq!(config.egress.upstreams["api.example.com"], "http://127.0.0.1:4700");
    let mail = config.mail.unwrap();
    assert_eq!((mail.relay.as_str(), mail.tls), ("smtp.example.com:2525", MailTls::Implicit));
    assert_eq!((mail.from.as_str(), mail.user.as_deref()), ("PyQueryHub <alerts@example.com>", Some("alerts")));
    assert_eq!((mail.password_file, mail.extra_ca), (Some("relay.password".into()), vec!["relay.pem".into()]));
    assert_eq!((mail.domains.len(), mail.connections), (2, Some(2)));
    assert_eq!(mail.hello.as_deref(), Some("notify.example.com"));
    assert_eq!(config.egress.allow_private[0].network.to_string(), "10.0.0.0/8");
    let retry = &config.retry;
    assert_eq!((retry.first.as_secs(), retry.longest.as_secs(), retry.give_up.as_secs()), (2, 3, 4 * HOUR));
    assert_eq!(retry.unknown_outcome, [300, 360].map(Duration::from_secs));
    assert_eq!((retry.lost_leases, retry.held.as_secs()), (7, 8 * DAY));
    let retention = &config.retention;
    let kept = [retention.delivered, retention.failed, retention.idempotency].map(|time| time.as_secs());
    assert_eq!(kept, [DAY, 2 * DAY, 25 * HOUR]);
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, Level::DEBUG));
    assert_eq!(config.shutdown.patience, Duration::from_secs(3));
}

#[test]
fn a_variable_goes_before_the_file_and_an_empty_one_counts_as_none() {
    let file = "listen = \"127.0.0.1:1\"\n[limits]\nconcurrency = 5\n[log]\nlevel = \"warn\"";
    let variables =
        [("PQH_LISTEN", "127.0.0.1:0"), ("PQH_LIMITS_CONCURRENCY", "6"), ("PQH_LOG_LEVEL", ""), ("HOME", "/")];
    let config = load(file, &variables).unwrap();
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.limits.concurrency, 6);
    assert_eq!(config.log.level, Level::WARN);
}

#[test]
fn lists_and_tables_stand_in_variables_too() {
    let variables = [
        ("PQH_TRUSTED_PROXIES", "10.0.0.1, 192.168.0.0/16"),
        ("PQH_RETRY_UNKNOWN_OUTCOME_MINUTES", "1,2"),
        ("PQH_EGRESS_UPSTREAMS", "a.example.com=http://127.0.0.1:1,b.example.com=http://127.0.0.1:2"),
        ("PQH_EGRESS_ALLOW_PRIVATE", "10.0.0.0/8=*.corp.example.com other.example.com, 127.0.0.1=c.example.com:8443"),
    ];
    let config = load("", &variables).unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.retry.unknown_outcome, [60, 120].map(Duration::from_secs));
    assert_eq!(config.egress.upstreams["b.example.com"], "http://127.0.0.1:2");
    let counts: Vec<usize> = config.egress.allow_private.iter().map(|private| private.hosts.len()).collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_keys_beside_it() {
    assert_eq!(
        refused("\n[shutdown]\nsecond = 4\n"),
        "pqh.toml, line 3: shutdown.second: nobody knows this key; [shutdown] has seconds"
    );
    assert_eq!(
        refused("\n\n[mial]\nrelay = 4\n"),
        "pqh.toml, line 3: mial: nobody knows this key; there are cache_dir, database, listen, master_key_file, \
         operator_token_file, plugins, public_url, trusted_proxies, and the sections connections, egress, limits, log, \
         mail, retention, retry, shutdown"
    );
}

#[test]
fn an_unknown_variable_is_refused_by_its_name() {
    assert_eq!(
        refused_variable("PQH_SHUTDOWN_SECOND", "4"),
        "the variable PQH_SHUTDOWN_SECOND: shutdown.second: nobody knows this key; [shutdown] has seconds"
    );
    let message = refused_variable("PQH_LISTN", "canary");
    assert!(message.starts_with("the variable PQH_LISTN: listn: nobody knows this key; "), "{message}");
    assert!(!message.contains("canary"), "{message}");
}

#[test]
fn variables_of_the_command_line_and_of_kubernetes_are_none_of_our_keys() {
    for name in ["PQH_TOKEN", "PQH_SET_URL", "PQH_LOG", "PQH_PORT", "PQH_SERVICE_HOST", "PQH_PORT_7070_TCP_ADDR"] {
        assert!(load("", &[(name, "tcp://10.0.0.1:7070")]).is_ok(), "{name}");
    }
}

#[test]
fn a_wrong_type_is_told_with_what_was_expected_and_found() {
    assert_eq!(
        refused("[limits]\nconcurrency = \"many\""),
        "pqh.toml, line 2: limits.concurrency: expected a whole number from 1 to 100000; found \"many\""
    );
    assert_eq!(
        refused("listen = 7070"),
        "pqh.toml, line 1: listen: expected ADDRESS:PORT, such as 127.0.0.1:7070; found 7070"
    );
    assert_eq!(
        refused("trusted_proxies = \"10.0.0.0/8\""),
        "pqh.toml, line 1: trusted_proxies: expected a list of networks, such as [\"10.0.0.0/8\", \"::1\"]; found \
         \"10.0.0.0/8\""
    );
    assert_eq!(refused("limits = 5"), "pqh.toml, line 1: limits: expected a section, [limits]; found a value");
    assert_eq!(
        refused_variable("PQH_LIMITS_QUEUE", "1.5"),
        "the variable PQH_LIMITS_QUEUE: limits.queue: expected a whole number from 1 to 100000000; found \"1.5\""
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (key, found) in [
        ("limits.concurrency", "0"),
        ("limits.concurrency", "-1"),
        ("limits.memory_mib", "0"),
        ("limits.memory_mib", "4096"),
        ("limits.requests_per_second", "0"),
        ("limits.queue", "99999999999999999999"),
        ("limits.database_mib", "-1"),
        ("retry.first_seconds", "0"),
        ("retention.idempotency_hours", "23"),
        ("retention.failed_days", "0.5"),
    ] {
        let message = refused(&format!("{key} = {found}"));
        assert!(message.starts_with(&format!("pqh.toml, line 1: {key}: expected a whole number from ")), "{message}");
        assert!(message.ends_with(&format!("; found {found}")), "{message}");
    }
}

#[test]
fn the_longest_backoff_is_no_shorter_than_the_first() {
    assert_eq!(
        refused("[retry]\nfirst_seconds = 20\nlongest_seconds = 10"),
        "pqh.toml, line 3: retry.longest_seconds: expected 20 or more, as retry.first_seconds has; found 10"
    );
    assert_eq!(
        refused("[retry]\nfirst_seconds = 601"),
        "pqh.toml, line 2: retry.first_seconds: expected 600 or less, as retry.longest_seconds has; found 601"
    );
}

#[test]
fn each_wait_after_an_unknown_outcome_is_checked() {
    assert_eq!(
        refused("[retry]\nunknown_outcome_minutes = [1, 0]"),
        "pqh.toml, line 2: retry.unknown_outcome_minutes: expected a list of minutes from 1 to 1440; found 0"
    );
    assert!(load("[retry]\nunknown_outcome_minutes = []", &[]).unwrap().retry.unknown_outcome.is_empty());
}

#[test]
fn a_public_url_is_an_origin_alone() {
    for url in ["notify.example.com", "ftp://a.example.com", "https://a.example.com/notify", "https://a.example.com/#x"]
    {
        let expected = "pqh.toml, line 1: public_url: expected an http or https URL without user, path or query, such as \
                        https://notify.example.com; found";
        assert_eq!(refused(&format!("public_url = {url:?}")), format!("{expected} {url:?}"));
    }
}

#[test]
fn log_settings_are_words_of_a_list() {
    assert_eq!(
        refused("log.format = \"xml\""),
        "pqh.toml, line 1: log.format: expected \"text\" or \"json\"; found \"xml\""
    );
    let message = refused("log.level = \"3\"");
    assert!(
        message.contains("expected \"error\", \"warn\", \"info\", \"debug\" or \"trace\"; found \"3\""),
        "{message}"
    );
}

#[test]
fn no_password_of_an_address_is_repeated() {
    for text in [
        "database = \"postgres://pqh:canary@db/pqh\"",
        "database = \"postgres://db/pqh?password=canary\"",
        "public_url = \"https://u:canary@a.example.com\"",
        "egress.proxy = \"http://u:canary@proxy.example.com\"",
        "egress.proxy = \"http://:canary@proxy.example.com\"",
        "egress.upstreams = { \"a.example.com\" = \"http://u:canary@b.example.com\" }",
        "egress.upstreams = { \"a.example.com\" = \"ftp://u:canary@b.example.com\" }",
        "egress.upstreams = { \"a.example.com\" = \"http://b.example.com/?key=canary\" }",
        "egress.proxy = \"http://u:canary@proxy.example.com",
    ] {
        let message = refused(text);
        assert!(message.starts_with("pqh.toml, line 1"), "{message}");
        assert!(!message.contains("canary"), "{message}");
    }
}

#[test]
fn a_database_of_another_kind_is_refused() {
    let expected = "pqh.toml, line 1: database: expected sqlite:PATH, such as sqlite:pqh.db; found";
    assert_eq!(
        refused("database = \"postgres://db/pqh\""),
        format!("{expected} an address that starts with \"postgres\"")
    );
    assert_eq!(refused("database = \"pqh.db\""), format!("{expected} a text without a colon"));
    assert_eq!(refused("database = \"sqlite:\""), format!("{expected} an address that starts with \"sqlite\""));
}

#[test]
fn upstreams_are_hosts_in_quotes_with_origins() {
    for (text, found) in [
        ("[egress.upstreams]\napi.example.com = \"http://127.0.0.1:1\"", "a table for \"api\""),
        ("[egress]\nupstreams = { \"a.example.com\" = 5 }", "5 for \"a.example.com\""),
        ("[egress]\nupstreams = { \"a.example.com\" = \"127.0.0.1\" }", "\"127.0.0.1\" for \"a.example.com\""),
        ("[egress]\nupstreams = { \"a.example.com\" = \"http://b/c\" }", "\"http://b/c\" for \"a.example.com\""),
        ("[egress]\nupstreams = \"a\"", "\"a\""),
    ] {
        let message = refused(text);
        assert!(message.contains(": egress.upstreams: expected a table of hosts with origins"), "{message}");
        assert!(message.ends_with(&format!("; found {found}")), "{message}");
    }
    let message = refused_variable("PQH_EGRESS_UPSTREAMS", "a.example.com");
    assert!(message.starts_with("the variable PQH_EGRESS_UPSTREAMS: egress.upstreams: expected"), "{message}");
}

#[test]
fn a_private_network_is_allowed_to_named_hosts_only() {
    for (item, found) in [
        ("{ network = \"10.0.0.0/8\" }", "one without a list of hosts"),
        ("{ hosts = [\"a.example.com\"] }", "one without a network"),
        ("{ network = \"10.0.0.0/8\", hosts = [] }", "no host for 10.0.0.0/8"),
        ("{ network = \"10/8\", hosts = [\"a.example.com\"] }", "\"10/8\" as a network"),
        ("{ network = \"10.0.0.0/8\", hosts = [5] }", "5 as a host"),
        ("{ network = \"10.0.0.0/8\", host = [\"a\"] }", "the unknown key \"host\""),
        ("5", "5"),
    ] {
        let message = refused(&format!("[egress]\nallow_private = [{item}]"));
        assert!(
            message.starts_with("pqh.toml, line 2: egress.allow_private: expected networks with hosts"),
            "{message}"
        );
        assert!(message.ends_with(&format!("; found {found}")), "{message}");
    }
    assert!(refused("[egress]\nallow_private = [{ network = \"10.0.0.0/8\", hosts = [\"*\"] }]").contains("`*`"));
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let message = refused("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"");
    assert_eq!(message, "pqh.toml, line 2: expected TOML; duplicate key");
}

#[test]
fn a_named_file_must_be_there() {
    let error = Config::load(Some(Path::new("nowhere/pqh.toml")), []).unwrap_err();
    assert!(
        error.to_string().starts_with("the configuration nowhere/pqh.toml cannot be read: No such file"),
        "{error}"
    );
}

#[test]
fn the_gate_takes_certificates_and_refuses_files_without_any() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let egress = Egress { extra_ca: vec![path.clone()], ..Egress::default() };
    let config = Config { egress, ..Config::default() };
    let problem = |found: &str| {
        format!("the configuration: egress.extra_ca: {}: expected certificates in PEM; {found}", path.display())
    };
    assert!(config.gate().unwrap_err().to_string().starts_with(&problem("No such file")));
    std::fs::write(&path, "nothing").unwrap();
    assert_eq!(config.gate().unwrap_err().to_string(), problem("found none"));
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    assert!(config.gate().unwrap_err().to_string().starts_with(&problem("found something else: ")));
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(config.gate().is_ok());
}

#[test]
fn a_larger_answer_has_room_to_cross_the_sandbox_s_border() {
    let limits = load("limits.response_kib = 8192", &[]).unwrap().runtime_limits();
    assert_eq!((limits.response_bytes, limits.crossing_bytes), (8 << 20, 32 << 20));
}

#[test]
fn mail_needs_a_relay_a_sender_and_a_login_that_is_whole() {
    for (text, expected) in [
        ("from = \"a@example.com\"", "mail.from: there is no mail.relay beside it"),
        ("relay = \"smtp.example.com\"", "mail.relay: there is no mail.from beside it: expected an address such as"),
        (
            "relay = \"smtp.example.com\"\nfrom = \"alerts\"",
            "mail.from: expected an address such as alerts@example.com",
        ),
        ("relay = \"smtp://x\"\nfrom = \"a@example.com\"", "mail.relay: expected a host, with or without a port"),
        (
            "relay = \"smtp.example.com\"\nfrom = \"a@example.com\"\nuser = \"u\"",
            "mail.user: there is no mail.password_file",
        ),
        ("relay = \"smtp.example.com\"\nfrom = \"a@example.com\"\ntls = \"maybe\"", "mail.tls: expected \"starttls\""),
        (
            "relay = \"smtp.example.com\"\nfrom = \"a@example.com\"\ndomains = [\"a b\"]",
            "mail.domains: expected a list of domains",
        ),
        ("relay = \"smtp.example.com\"\nfrom = \"a@example.com\"\nreply = \"x\"", "mail.reply: nobody knows this key"),
    ] {
        let message = refused(&format!("[mail]\n{text}"));
        assert!(message.starts_with("pqh.toml, line ") && message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn the_relays_password_is_read_from_its_file_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let text = format!(
        "[mail]\nrelay = \"smtp.example.com\"\nfrom = \"a@example.com\"\nuser = \"u\"\npassword_file = {:?}",
        file.display().to_string()
    );
    let config = load(&text, &[]).unwrap();
    assert!(config.mail().unwrap_err().to_string().contains("mail.password_file"));
    std::fs::write(&file, "\n").unwrap();
    assert!(config.mail().unwrap_err().to_string().contains("expected a password; found nothing"));
    std::fs::write(&file, "canary-of-the-relay\n").unwrap();
    let mail = config.mail().unwrap().unwrap();
    assert!(!format!("{mail:?} {config:?}").contains("canary"));
}
