//! The freeze: released versions of the contract lie in `wit/frozen/` and never change, `wit/` keeps to its major version,
//! and components of each released version, kept in `tests/fixtures/`, still deliver.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "frozen/changes.rs"]
mod changes;
#[path = "frozen/fixtures.rs"]
mod fixtures;
#[path = "frozen/judge.rs"]
mod judge;
#[path = "frozen/outline.rs"]
mod outline;
#[path = "support/python.rs"]
mod python;
#[path = "support/smtp.rs"]
mod smtp;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use outline::{Contract, Files};
use semver::Version;
use sha2::{Digest as _, Sha256};

/// Each released version with the SHA-256 of `sha256sum *` in its folder. A line that stands here is never edited.
const FROZEN: &[(&str, &str)] = &[("1.0.0", "b63c5b8370db4573d30ceabaa295e69190f41854619907f452a2347068b7c6fc")];

const NEVER: &str = "released versions are never edited; make a new version (docs/contract.md, Versions)";

/// A folder of the workspace.
fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// As `sha256sum` writes it.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Names and bytes of all that is in a folder: what `LC_ALL=C sha256sum * | sha256sum` prints there.
fn digest(folder: &Path) -> String {
    let line = |name: &String| format!("{}  {name}\n", sha256(&std::fs::read(folder.join(name)).unwrap()));
    sha256(names(folder).iter().map(line).collect::<String>().as_bytes())
}

/// The files of a released version.
fn frozen(version: &str) -> Files {
    outline::read(&folder("wit/frozen").join(version)).unwrap()
}

#[test]
fn a_released_version_never_changes() {
    for (version, sha256) in FROZEN {
        let found = digest(&folder("wit/frozen").join(version));
        assert_eq!(found, *sha256, "wit/frozen/{version} has changed: {NEVER}");
    }
    let mut others = names(&folder("wit/frozen"));
    others.retain(|name| !FROZEN.iter().any(|(version, _)| name == version));
    let missing: Vec<_> = others.into_iter().map(|name| (digest(&folder("wit/frozen").join(&name)), name)).collect();
    assert!(missing.is_empty(), "each version in wit/frozen has a line in FROZEN; missing: {missing:?}");
}

#[test]
fn a_released_version_says_of_itself_which_it_is() {
    for (version, _) in FROZEN {
        let contract = Contract::of(&frozen(version)).unwrap();
        assert_eq!((contract.package.as_str(), contract.version.to_string().as_str()), ("pyqueryhub:notify", *version));
    }
    let versions: Vec<Version> = FROZEN.iter().map(|(version, _)| Version::parse(version).unwrap()).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "FROZEN names the oldest version first");
}

#[test]
fn no_version_breaks_one_before_it_of_the_same_major_version() {
    let mut versions: Vec<(String, Files)> =
        FROZEN.iter().map(|(version, _)| (format!("wit/frozen/{version}"), frozen(version))).collect();
    versions.push(("wit".to_owned(), outline::read(&folder("wit")).unwrap()));
    for (place, (was, old_files)) in versions.iter().enumerate() {
        for (is, new_files) in &versions[place + 1..] {
            let (old, new) = (Contract::of(old_files).unwrap(), Contract::of(new_files).unwrap());
            if old.version.major != new.version.major {
                continue;
            }
            let mut broken = judge::broken(&old, &new);
            broken.extend(judge::refused_by_tools(old_files, new_files).unwrap());
            let broken: Vec<String> = broken.iter().map(|line| format!("- {line}")).collect();
            assert!(
                broken.is_empty(),
                "{is} breaks {was}, which is released:\n{}\nWhat may grow within a major version, and how: \
                 docs/contract.md, Versions.",
                broken.join("\n")
            );
        }
    }
}

/// The judge sees all that there is: without any of its lines, the contract is another one or none.
#[test]
fn no_line_of_a_released_version_can_be_left_out() {
    for (version, _) in FROZEN {
        let files = frozen(version);
        let old = Contract::of(&files).unwrap();
        let mut tried = 0;
        for (name, text) in &files {
            for (number, line) in text.lines().enumerate() {
                let says = line.trim();
                if says.is_empty() || says.starts_with("//") || says.starts_with("@since") {
                    continue;
                }
                let rest: Vec<&str> =
                    text.lines().enumerate().filter(|(other, _)| *other != number).map(|(_, line)| line).collect();
                let mut files = files.clone();
                files.insert(name.clone(), rest.join("\n"));
                let Ok(new) = Contract::of(&files) else { continue };
                tried += 1;
                assert!(!judge::broken(&old, &new).is_empty(), "{version}, {name}:{}: {line}", number + 1);
            }
        }
        assert!(tried >= 150, "{tried} lines of {version} could be left out one by one");
    }
}

#[test]
fn who_reads_the_current_version_reads_no_released_one() {
    let mut resolve = wit_parser::Resolve::default();
    let (package, sources) = resolve.push_dir(folder("wit")).unwrap();
    assert_eq!(resolve.packages.len(), 1);
    assert_eq!(resolve.packages[package].name.name, "notify");
    let read: Vec<String> =
        sources.paths().map(|path| path.strip_prefix(folder("wit")).unwrap().display().to_string()).collect();
    assert!(read.len() >= 10 && read.iter().all(|name| !name.contains('/')), "{read:?}");
}
