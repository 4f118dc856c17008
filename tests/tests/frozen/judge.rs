//! What may change within a major version of the contract, and what may not: the rules of `docs/contract.md`, "Versions".

use std::collections::HashSet;

use anyhow::{Result, anyhow};
use wit_parser::Resolve;

use crate::outline::{self, Contract, Files, Items};

/// What `new` breaks of the released version `old`, a line each; empty where it may follow it.
pub(crate) fn broken(old: &Contract, new: &Contract) -> Vec<String> {
    let mut broken = Vec::new();
    if new.package != old.package {
        broken.push(format!("the package is called {}, and not {} any more", new.package, old.package));
    }
    for (name, was) in &old.interfaces {
        let Some(is) = new.interfaces.get(name) else {
            broken.push(format!("the interface `{name}` is gone"));
            continue;
        };
        let role = Role::of(name, old, new);
        let added = compare(&was.types, &is.types, |item| format!("the type `{name}.{item}`"), &mut broken);
        let added = added.into_iter().map(|item| ("type", item));
        let functions =
            compare(&was.functions, &is.functions, |item| format!("the function `{name}.{item}`"), &mut broken);
        let added = added.chain(functions.into_iter().map(|item| ("function", item)));
        broken.extend(added.filter_map(|(kind, item)| {
            let why = role.refuses(kind)?;
            Some(format!("the {kind} `{name}.{item}` is new: {why}"))
        }));
    }
    for (name, was) in &old.worlds {
        let Some(is) = new.worlds.get(name) else {
            broken.push(format!("the world `{name}` is gone"));
            continue;
        };
        compare(&was.imports, &is.imports, |item| format!("the import `{item}` of the world `{name}`"), &mut broken);
        let exports = |item: &str| format!("the export `{item}` of the world `{name}`");
        for added in compare(&was.exports, &is.exports, exports, &mut broken) {
            broken.push(format!(
                "the world `{name}` demands the export `{added}` now: components of before do not have it; make it \
                 optional, with a world of its own"
            ));
        }
    }
    if broken.is_empty() {
        broken.extend(number(old, new));
    }
    broken
}

/// Which way an interface goes.
enum Role {
    /// Hosts offer it.
    Imported,
    /// Components offer it.
    Exported,
    /// It has no functions.
    TypesOnly,
}

impl Role {
    fn of(name: &str, old: &Contract, new: &Contract) -> Self {
        let mut worlds = old.worlds.values().chain(new.worlds.values());
        if old.interfaces.get(name).is_some_and(|interface| interface.functions.is_empty()) {
            Self::TypesOnly
        } else if worlds.clone().any(|world| world.exports.contains_key(name)) {
            Self::Exported
        } else if worlds.any(|world| world.imports.contains_key(name)) {
            Self::Imported
        } else {
            // Nobody says, so it may be either.
            Self::Exported
        }
    }

    /// Why it may not gain a type or a function; none where it may.
    fn refuses(&self, kind: &str) -> Option<&'static str> {
        match self {
            Self::Exported => Some("components of before do not have it; put it into a new optional interface"),
            Self::TypesOnly if kind == "function" => Some(
                "the interface has types only, which hosts show nobody as a capability; put it into a new interface",
            ),
            Self::TypesOnly | Self::Imported => None,
        }
    }
}

/// Notes what is gone or another one, and gives what is new.
fn compare<'a>(old: &Items, new: &'a Items, what: impl Fn(&str) -> String, broken: &mut Vec<String>) -> Vec<&'a str> {
    for (name, was) in old {
        match new.get(name) {
            None => broken.push(format!("{} is gone", what(name))),
            Some(is) if is != was => {
                broken.push(format!("{} is not what it was\n    it was {was}\n    it is  {is}", what(name)));
            }
            Some(_) => {}
        }
    }
    new.keys().filter(|name| !old.contains_key(*name)).map(String::as_str).collect()
}

/// What is wrong with the version's number: what is new needs a higher minor one, and none comes before what is released.
fn number(old: &Contract, new: &Contract) -> Option<String> {
    let (was, is) = (&old.version, &new.version);
    let grew = old.interfaces != new.interfaces || old.worlds != new.worlds;
    if is < was {
        Some(format!("this is version {is}, and {was} is released already"))
    } else if grew && (is.major, is.minor) == (was.major, was.minor) {
        Some(format!("{was} is released as it is: with what is new this is version {}.{}.0", was.major, was.minor + 1))
    } else {
        None
    }
}

/// A second opinion, of the tools that make components: a line for each world of `old` whose components they would not
/// let a host of `new` run. They know nothing of components that are newer than their host, and of what no world names.
pub(crate) fn refused_by_tools(old: &Files, new: &Files) -> Result<Vec<String>> {
    let mut resolve = Resolve::default();
    let old = resolve.push_group(outline::parse(old)?).map_err(|error| anyhow!("{error}"))?;
    let mut group = outline::parse(new)?;
    // Two packages need two names; the tools compare without versions.
    if let Some(version) = &mut group.main.name.version {
        version.build = semver::BuildMetadata::new("new")?;
    }
    let new = resolve.push_group(group).map_err(|error| anyhow!("{error}"))?;
    let worlds: HashSet<&String> = resolve.packages[new].worlds.keys().collect();
    let both = resolve.packages[old].worlds.iter().filter(|(name, _)| worlds.contains(name));
    Ok(both
        .filter_map(|(name, was)| {
            let is = resolve.packages[new].worlds[name];
            let error = wit_component::semver_check(resolve.clone(), *was, is).err()?;
            Some(format!("components of the world `{name}` would not run: {error:#}"))
        })
        .collect())
}
