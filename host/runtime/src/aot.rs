//! The one unsafe corner: running native code that this host compiled earlier, from a folder that only its user can read.
#![expect(unsafe_code, reason = "`Component::deserialize_file` trusts the file; what makes it trustworthy stands here")]

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::hash::Sha256;

/// Compiled components on disk, by SHA-256 and by what the engine's code depends on.
#[derive(Clone, Debug)]
pub(crate) struct CompiledCache {
    folder: PathBuf,
}

impl CompiledCache {
    /// Makes the folder, or refuses one that others could write or read.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        private_folder(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, engine: &Engine, component: &Sha256) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{component}-{:016x}.cwasm", hasher.finish()))
    }

    /// The component, if this host compiled it before.
    pub(crate) fn load(&self, engine: &Engine, component: &Sha256) -> Option<Component> {
        let path = self.path(engine, component);
        if !path.is_file() || private_folder(&self.folder).is_err() {
            return None;
        }
        // SAFETY: the file lies in a folder that belongs to our user and that nobody else can enter (checked just now),
        // so only this program's `store` wrote it, whole, from the output of this very engine's compiler. wasmtime checks
        // version and settings by itself.
        match unsafe { Component::deserialize_file(engine, &path) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(file = %path.display(), error = %format!("{error:#}"), "a compiled component is unusable and is compiled anew");
                None
            }
        }
    }

    /// Keeps a compiled component, whole or not at all. Without room it is only slower next time.
    pub(crate) fn store(&self, engine: &Engine, sha256: &Sha256, component: &Component) {
        let path = self.path(engine, sha256);
        let result = component.serialize().map_err(io::Error::other).and_then(|code| {
            let temporary = self.folder.join(format!(".{sha256}-{}-{:p}", std::process::id(), &raw const code));
            let mut file = fs::File::create(&temporary)?;
            file.write_all(&code)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        });
        if let Err(error) = result {
            tracing::warn!(file = %path.display(), %error, "a compiled component cannot be kept");
        }
    }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let metadata = fs::symlink_metadata(folder)?;
    // A file that we just made belongs to our user: no call into libc needed to learn who that is.
    let owner = tempfile_owner(folder)?;
    if !metadata.is_dir() || metadata.mode() & 0o077 != 0 || metadata.uid() != owner {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} holds native code that this program runs, so only its user may enter it: expected a folder of its own with mode 0700, found mode {:04o}; name a folder of its own, or run `chmod 700` on one that holds nothing else",
                folder.display(),
                metadata.mode() & 0o7777
            ),
        ));
    }
    Ok(())
}

#[cfg(unix)]
fn tempfile_owner(folder: &Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;

    let probe = folder.join(format!(".owner-{}-{:?}", std::process::id(), std::thread::current().id()));
    let uid = fs::File::create(&probe)?.metadata()?.uid();
    fs::remove_file(&probe)?;
    Ok(uid)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let error = CompiledCache::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_made_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("a/b");
        CompiledCache::open(&cache).unwrap();
        assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
