//! Finds the components of the workspace, and what each is made of.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The workspace, as `cargo metadata` describes it.
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo. In a build script the folder is the package's, in `xtask` the workspace's: either will do.
    pub(crate) fn read() -> Result<Self> {
        let metadata = MetadataCommand::new().exec().context("`cargo metadata` failed")?;
        Ok(Self { metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The target folder of nested builds.
    pub(crate) fn components_target(&self) -> PathBuf {
        self.metadata.target_directory.as_std_path().join("components")
    }

    /// Members below `folder` whose library is a `cdylib`, by name.
    pub(crate) fn components_below(&self, folder: &str) -> Vec<&Package> {
        let folder = self.root().join(folder);
        let mut found: Vec<&Package> = self
            .metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| package.manifest_path.as_std_path().starts_with(&folder))
            .filter(|package| package.targets.iter().any(cargo_metadata::Target::is_cdylib))
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// What a change of must build `package` again: its own sources, those of the path dependencies it leans on, the
    /// contract, and the workspace's versions and profiles.
    pub(crate) fn inputs_of(&self, package: &Package) -> Vec<PathBuf> {
        let mut inputs: BTreeSet<PathBuf> =
            ["Cargo.toml", "Cargo.lock", "wit"].into_iter().map(|name| self.root().join(name)).collect();
        for local in self.local_dependencies(&package.id) {
            let Some(folder) = local.manifest_path.as_std_path().parent() else {
                continue;
            };
            for name in ["Cargo.toml", "build.rs", "src", "wit"] {
                inputs.insert(folder.join(name));
            }
        }
        inputs.into_iter().filter(|path| path.exists()).collect()
    }

    /// `start` and every package of this workspace that it is built from, tests' dependencies left aside.
    fn local_dependencies(&self, start: &PackageId) -> Vec<&Package> {
        let packages: HashMap<&PackageId, &Package> =
            self.metadata.packages.iter().map(|package| (&package.id, package)).collect();
        let nodes: HashMap<_, _> =
            self.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node)).collect();
        let mut seen = BTreeSet::new();
        let mut next = vec![start];
        while let Some(id) = next.pop() {
            let local = packages.get(id).is_some_and(|package| package.source.is_none());
            if !local || !seen.insert(id) {
                continue;
            }
            let dependencies = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            next.extend(
                dependencies
                    .filter(|dependency| {
                        dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
                    })
                    .map(|dependency| &dependency.pkg),
            );
        }
        seen.into_iter().filter_map(|id| packages.get(id).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_below_a_folder_is_a_cdylib_of_that_folder() {
        let workspace = Workspace::read().unwrap();
        for package in workspace.components_below("plugins") {
            assert!(package.manifest_path.as_std_path().starts_with(workspace.root().join("plugins")));
        }
        assert!(workspace.components_below("docs").is_empty(), "documentation holds no component");
    }

    #[test]
    fn a_component_is_built_again_when_the_contract_or_a_path_dependency_changes() {
        let workspace = Workspace::read().unwrap();
        for package in workspace.components_below("plugins") {
            let inputs = workspace.inputs_of(package);
            assert!(inputs.contains(&workspace.root().join("wit")), "{inputs:?}");
            assert!(inputs.contains(&workspace.root().join("sdk/rust/src")), "{inputs:?}");
        }
    }
}
