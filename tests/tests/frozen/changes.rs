//! The judge itself, by changes of a made-up contract: each that is allowed, and each that is not.

use semver::Version;

use crate::judge;
use crate::outline::{Contract, Files};

const BASE: &str = "
    package example:contract@1.0.0;

    interface types {
        record target { id: string, name: string }
        enum kind { one, two }
        type timestamp = u64;
        type spare = list<tuple<u8, char>>;
    }

    interface facts {
        flags rights { read, write }
        variant answer { yes, no(string) }
        ask: func(id: string, rights: rights) -> answer;
        tell: func(at: list<u8>);
        count: func() -> u32;
    }

    interface channel {
        use types.{kind, target, timestamp};
        deliver: func(to: target, kind: kind, at: timestamp) -> result<_, string>;
        check: func() -> bool;
    }

    interface inbound {
        receive: func(body: list<u8>) -> u16;
    }

    world plugin {
        import facts;
        export channel;
    }

    world connected {
        include plugin;
        export inbound;
    }
";

/// What it is, and which text becomes which.
type Change = (&'static str, &'static str, &'static str);

const ALLOWED: &[Change] = &[
    ("documentation", "interface facts {", "/// What a host knows.\n interface facts {"),
    ("another order of types", "use types.{kind, target, timestamp}", "use types.{timestamp, target, kind}"),
    ("another order of functions", TWO, "count: func() -> u32; tell: func(at: list<u8>);"),
    ("a function of an imported interface", "tell: func(", "more: func() -> string; tell: func("),
    ("a type of an imported interface", "tell: func(", "type more = u8; tell: func("),
    ("a type of an interface of types", "enum kind {", "type more = u8; enum kind {"),
    ("an interface", "interface inbound {", "interface more { get: func() -> u8; } interface inbound {"),
    ("an import", "world plugin {", "interface more { get: func() -> u8; } world plugin { import more;"),
    ("a function that a world imports", "world plugin {", "world plugin { import more: func();"),
    ("an optional interface with a world of its own", "world connected {", OPTIONAL),
];

const TWO: &str = "tell: func(at: list<u8>);
        count: func() -> u32;";
const OPTIONAL: &str =
    "interface more { get: func() -> u8; } world greater { include plugin; export more; } world connected {";

/// By what is said of them.
const REFUSED: &[(&str, &[Change])] = &[
    (
        "the function `channel.more` is new: components of before do not have it",
        &[("a function of an exported interface", "check: func", "more: func(); check: func")],
    ),
    (
        "the function `inbound.more` is new: components of before do not have it",
        &[("a function of an optional interface", "receive: func", "more: func(); receive: func")],
    ),
    (
        "the type `channel.more` is new: components of before do not have it",
        &[("a type of an exported interface", "check: func", "type more = u8; check: func")],
    ),
    (
        "the function `types.more` is new: the interface has types only",
        &[("a function of an interface of types", "enum kind {", "more: func(); enum kind {")],
    ),
    (
        "the world `plugin` demands the export `inbound` now",
        &[("an interface that is demanded", "export channel;", "export channel; export inbound;")],
    ),
    (
        "the world `connected` demands the export `more` now",
        &[("a function that is demanded", "export inbound;", "export inbound; export more: func();")],
    ),
    (
        "the type `types.target` is not what it was",
        &[
            ("a field", "name: string }", "name: string, more: string }"),
            ("a field less", ", name: string }", " }"),
            ("a field's name", "name: string }", "title: string }"),
            ("a field's type", "name: string }", "name: u32 }"),
            ("a field that may be left out", "name: string }", "name: option<string> }"),
            ("another order of fields", "id: string, name: string }", "name: string, id: string }"),
            ("a type's name", "record target {", "type target = place; record place {"),
        ],
    ),
    (
        "the type `types.kind` is not what it was",
        &[
            ("an enum's case", "one, two", "one, two, three"),
            ("an enum's case less", "one, two", "one"),
            ("the name of an enum's case", "one, two", "one, second"),
            ("another order of an enum's cases", "one, two", "two, one"),
            ("another kind of type", "enum kind {", "flags kind {"),
        ],
    ),
    (
        "the type `facts.answer` is not what it was",
        &[
            ("a variant's case", "yes, no(string)", "yes, no(string), perhaps"),
            ("a variant's case less", "yes, no(string)", "no(string)"),
            ("the name of a variant's case", "yes, no(string)", "yes, never(string)"),
            ("what a variant's case holds", "yes, no(string)", "yes, no(u8)"),
            ("another order of a variant's cases", "yes, no(string)", "no(string), yes"),
        ],
    ),
    (
        "the type `facts.rights` is not what it was",
        &[
            ("a flag", "read, write", "read, write, run"),
            ("a flag less", "read, write", "read"),
            ("another order of flags", "read, write", "write, read"),
        ],
    ),
    (
        "the type `types.timestamp` is not what it was",
        &[("what a name stands for", "timestamp = u64", "timestamp = s64")],
    ),
    ("the type `types.spare` is gone", &[("a type that is gone", "type spare = list<tuple<u8, char>>;", "")]),
    (
        "the function `facts.ask` is not what it was",
        &[
            ("a parameter", "ask: func(id: string", "ask: func(more: u8, id: string"),
            ("a parameter less", "ask: func(id: string, ", "ask: func("),
            ("a parameter's name", "ask: func(id: string", "ask: func(name: string"),
            ("a parameter's type", "ask: func(id: string", "ask: func(id: u64"),
        ],
    ),
    (
        "the function `facts.tell` is not what it was",
        &[("a result", "tell: func(at: list<u8>)", "tell: func(at: list<u8>) -> bool")],
    ),
    (
        "the function `channel.deliver` is not what it was",
        &[("a result's type", "-> result<_, string>", "-> result<u8, string>")],
    ),
    (
        "the function `channel.check` is not what it was",
        &[("a function that is asynchronous", "check: func", "check: async func")],
    ),
    ("the function `facts.tell` is gone", &[("the name of an imported function", "tell: func", "say: func")]),
    ("the function `channel.check` is gone", &[("an exported function that is gone", "check: func() -> bool;", "")]),
    ("the interface `inbound` is gone", &[("an interface's name", "inbound", "incoming")]),
    ("the import `facts` of the world `plugin` is gone", &[("an import that is gone", "import facts;", "")]),
    ("the export `channel` of the world `plugin` is gone", &[("an export that is gone", "export channel;", "")]),
    ("the world `connected` is gone", &[("a world's name", "world connected {", "world greater {")]),
    (
        "the package is called example:other, and not example:contract any more",
        &[("the package's name", "package example:contract", "package example:other")],
    ),
];

fn files(text: &str) -> Files {
    Files::from([("contract.wit".to_owned(), text.to_owned())])
}

/// The base and what the change makes of it, as the next minor version.
fn made((what, from, to): Change) -> (Files, Files) {
    assert!(BASE.contains(from), "{what}: the contract does not hold {from:?}");
    (files(BASE), files(&BASE.replace(from, to).replace("@1.0.0", "@1.1.0")))
}

fn judged(what: &str, old: &Files, new: &Files) -> Vec<String> {
    let contract = |files| Contract::of(files).unwrap_or_else(|error| panic!("{what}: {error:#}"));
    judge::broken(&contract(old), &contract(new))
}

#[test]
fn what_a_minor_version_may_add_is_allowed() {
    for change in ALLOWED {
        let (old, new) = made(*change);
        let broken = judged(change.0, &old, &new);
        assert!(broken.is_empty(), "{}: {broken:#?}", change.0);
    }
}

#[test]
fn each_change_that_breaks_a_major_version_is_refused_with_what_and_why() {
    for (said, changes) in REFUSED {
        for change in *changes {
            let (old, new) = made(*change);
            let broken = judged(change.0, &old, &new);
            assert!(broken.iter().any(|line| line.starts_with(said)), "{}: {broken:#?}", change.0);
        }
    }
}

/// They judge old components on new hosts alone, so they refuse less.
#[test]
fn what_the_tools_of_components_refuse_is_refused_here_too() {
    let mut refused = 0;
    for change in ALLOWED.iter().chain(REFUSED.iter().flat_map(|(_, changes)| *changes)) {
        let (old, new) = made(*change);
        let said = judge::refused_by_tools(&old, &new).unwrap();
        if !said.is_empty() {
            refused += 1;
            assert!(!judged(change.0, &old, &new).is_empty(), "{}: {said:?}", change.0);
        }
    }
    assert!(refused >= 25, "they refused {refused}");
}

#[test]
fn what_is_new_has_a_higher_minor_version_and_none_comes_before_what_is_released() {
    let version = |text: &str, version: &str| {
        let mut contract = Contract::of(&files(text)).unwrap();
        contract.version = Version::parse(version).unwrap();
        contract
    };
    let grown = BASE.replace("tell: func(", "more: func(); tell: func(");
    for (old, new, text, said) in [
        ("1.0.0", "1.0.0", BASE, None),
        ("1.0.0", "1.0.1", BASE, None),
        ("1.0.0", "1.1.0", BASE, None),
        ("1.0.0", "1.1.0", grown.as_str(), None),
        ("1.0.0", "1.0.0", grown.as_str(), Some("with what is new this is version 1.1.0")),
        ("1.1.3", "1.1.4", grown.as_str(), Some("with what is new this is version 1.2.0")),
        ("1.1.0", "1.0.0", BASE, Some("this is version 1.0.0, and 1.1.0 is released already")),
    ] {
        let broken = judge::broken(&version(BASE, old), &version(text, new));
        match said {
            None => assert!(broken.is_empty(), "{old}, {new}: {broken:?}"),
            Some(said) => assert!(broken.len() == 1 && broken[0].contains(said), "{old}, {new}: {broken:?}"),
        }
    }
}
