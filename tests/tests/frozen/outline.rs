//! What a version of the contract says, without its documentation and the order of its items: what two versions are
//! compared by.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use semver::Version;
use wit_parser::{
    Function, Handle, InterfaceId, PackageId, Resolve, SourceMap, Type, TypeDefKind, TypeId, TypeOwner,
    UnresolvedPackageGroup, WorldItem, WorldKey,
};

/// The `.wit` files of a version, by name.
pub(crate) type Files = BTreeMap<String, String>;

/// Items by name, each with what it is.
pub(crate) type Items = BTreeMap<String, String>;

/// A version of the contract.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    /// "pyqueryhub:notify".
    pub package: String,
    /// As its package says it.
    pub version: Version,
    /// By name. One that stands within a world has the world's name before its own.
    pub interfaces: BTreeMap<String, Interface>,
    /// By name.
    pub worlds: BTreeMap<String, World>,
}

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    /// Its types, those that it uses of others included.
    pub types: Items,
    /// Its functions.
    pub functions: Items,
}

/// A world, with all that it includes of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct World {
    /// What its components may import.
    pub imports: Items,
    /// What they have to export.
    pub exports: Items,
}

/// The `.wit` files in a folder itself: none of the folders below it.
pub(crate) fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

/// Parses the files of one package.
pub(crate) fn parse(files: &Files) -> Result<UnresolvedPackageGroup> {
    let mut map = SourceMap::default();
    for (name, text) in files {
        map.push_str(name, text.as_str());
    }
    map.parse().map_err(|(map, error)| anyhow!("{}", error.render(&map)))
}

impl Contract {
    /// What these files say.
    pub(crate) fn of(files: &Files) -> Result<Self> {
        let mut resolve = Resolve::default();
        let package = resolve.push_group(parse(files)?).map_err(|error| anyhow!("{error}"))?;
        Outliner { resolve: &resolve, package }.contract()
    }
}

/// Writes down what stands in a package that was resolved.
struct Outliner<'a> {
    resolve: &'a Resolve,
    package: PackageId,
}

impl Outliner<'_> {
    fn contract(&self) -> Result<Contract> {
        let package = &self.resolve.packages[self.package];
        let mut interfaces: BTreeMap<String, Interface> =
            package.interfaces.iter().map(|(name, id)| (name.clone(), self.interface(*id))).collect();
        let mut worlds = BTreeMap::new();
        for (name, id) in &package.worlds {
            let world = &self.resolve.worlds[*id];
            let mut outlined = World::default();
            for (items, outlined) in [(&world.imports, &mut outlined.imports), (&world.exports, &mut outlined.exports)]
            {
                for (key, item) in items {
                    let (key, item) = match (key, item) {
                        (WorldKey::Interface(id), _) => (self.interface_name(*id), "interface".to_owned()),
                        (WorldKey::Name(item), WorldItem::Interface { id, .. }) => {
                            let inline = format!("{name}/{item}");
                            interfaces.insert(inline.clone(), self.interface(*id));
                            (inline, "interface".to_owned())
                        }
                        (WorldKey::Name(item), WorldItem::Function(it)) => (item.clone(), self.function(it)),
                        (WorldKey::Name(item), WorldItem::Type { id, .. }) => (item.clone(), self.definition(*id)),
                    };
                    outlined.insert(key, item);
                }
            }
            worlds.insert(name.clone(), outlined);
        }
        let version = package.name.version.clone().context("the package has no version")?;
        let package = format!("{}:{}", package.name.namespace, package.name.name);
        Ok(Contract { package, version, interfaces, worlds })
    }

    fn interface(&self, id: InterfaceId) -> Interface {
        let interface = &self.resolve.interfaces[id];
        Interface {
            types: interface.types.iter().map(|(name, id)| (name.clone(), self.definition(*id))).collect(),
            functions: interface.functions.iter().map(|(name, it)| (name.clone(), self.function(it))).collect(),
        }
    }

    /// Its own name within this package; with package and version where it is another's.
    fn interface_name(&self, id: InterfaceId) -> String {
        let interface = &self.resolve.interfaces[id];
        let own = interface.name.clone().filter(|_| interface.package == Some(self.package));
        own.or_else(|| self.resolve.id_of(id)).unwrap_or_else(|| "(inline)".to_owned())
    }

    fn function(&self, function: &Function) -> String {
        let parameters =
            function.params.iter().map(|parameter| format!("{}: {}", parameter.name, self.ty(parameter.ty)));
        let result = function.result.map(|ty| format!(" -> {}", self.ty(ty))).unwrap_or_default();
        let color = if function.kind.is_async() { "async " } else { "" };
        format!("{color}func({}){result}", parameters.collect::<Vec<_>>().join(", "))
    }

    /// A type where it is used: by its name, where it has one.
    fn ty(&self, ty: Type) -> String {
        let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
        let definition = &self.resolve.types[id];
        match (&definition.name, definition.owner) {
            (None, _) => self.definition(id),
            (Some(name), TypeOwner::Interface(owner)) => format!("{}.{name}", self.interface_name(owner)),
            (Some(name), TypeOwner::World(owner)) => format!("{}.{name}", self.resolve.worlds[owner].name),
            (Some(name), TypeOwner::None) => name.clone(),
        }
    }

    fn maybe(&self, ty: Option<Type>) -> String {
        ty.map_or_else(|| "_".to_owned(), |ty| self.ty(ty))
    }

    /// A type where it is defined: all that it is made of, in order.
    fn definition(&self, id: TypeId) -> String {
        let braced = |kind: &str, members: Vec<String>| format!("{kind} {{ {} }}", members.join(", "));
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                let field = |field: &wit_parser::Field| format!("{}: {}", field.name, self.ty(field.ty));
                braced("record", record.fields.iter().map(field).collect())
            }
            TypeDefKind::Variant(variant) => {
                let case = |case: &wit_parser::Case| match case.ty {
                    Some(ty) => format!("{}({})", case.name, self.ty(ty)),
                    None => case.name.clone(),
                };
                braced("variant", variant.cases.iter().map(case).collect())
            }
            TypeDefKind::Enum(cases) => braced("enum", cases.cases.iter().map(|case| case.name.clone()).collect()),
            TypeDefKind::Flags(flags) => braced("flags", flags.flags.iter().map(|flag| flag.name.clone()).collect()),
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|ty| self.ty(*ty)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Option(ty) => format!("option<{}>", self.ty(*ty)),
            TypeDefKind::Result(result) => format!("result<{}, {}>", self.maybe(result.ok), self.maybe(result.err)),
            TypeDefKind::List(ty) => format!("list<{}>", self.ty(*ty)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", self.ty(*key), self.ty(*value)),
            TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", self.ty(*ty)),
            TypeDefKind::Future(ty) => format!("future<{}>", self.maybe(*ty)),
            TypeDefKind::Stream(ty) => format!("stream<{}>", self.maybe(*ty)),
            TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", self.ty(Type::Id(*id))),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", self.ty(Type::Id(*id))),
            TypeDefKind::Type(ty) => self.ty(*ty),
            TypeDefKind::Resource => "resource".to_owned(),
            TypeDefKind::Unknown => "unknown".to_owned(),
        }
    }
}
