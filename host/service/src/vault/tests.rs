//! What the vault keeps, and from whom.

use std::os::unix::fs::PermissionsExt as _;

use secrecy::{ExposeSecret as _, SecretString};

use super::*;

fn vault() -> Vault {
    Vault::new(MasterKey(crypto::random_key().unwrap()))
}

fn secret() -> SecretString {
    SecretString::from("https://hooks.example.com/canary")
}

/// One base64 character of a sealed value is replaced by another.
fn changed(sealed: &str, at: usize) -> String {
    let mut bytes = sealed.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_sealed_secret_opens_in_its_own_row_and_in_no_other() {
    let (key, _) = vault().new_data_key("org-1").unwrap();
    let sealed = key.seal("channel/1/url", &secret()).unwrap();
    assert_eq!(key.open("channel/1/url", &sealed).unwrap().expose_secret(), secret().expose_secret());
    assert!(matches!(key.open("channel/2/url", &sealed), Err(VaultError::Sealed { .. })));
}

#[test]
fn a_sealed_secret_shows_nothing_of_itself_and_is_another_each_time() {
    let (key, _) = vault().new_data_key("org-1").unwrap();
    let (first, second) = (key.seal("row", &secret()).unwrap(), key.seal("row", &secret()).unwrap());
    assert!(first.starts_with("v1.") && !first.contains("canary"), "{first}");
    assert_ne!(first, second);
}

#[test]
fn another_organizations_key_does_not_open_it() {
    let vault = vault();
    let (first, _) = vault.new_data_key("org-1").unwrap();
    let (second, _) = vault.new_data_key("org-2").unwrap();
    let sealed = first.seal("row", &secret()).unwrap();
    assert!(matches!(second.open("row", &sealed), Err(VaultError::Sealed { .. })));
}

#[test]
fn a_change_of_nonce_ciphertext_or_tag_is_found() {
    let (key, _) = vault().new_data_key("org-1").unwrap();
    let sealed = key.seal("row", &secret()).unwrap();
    for at in [3, 30, sealed.len() - 8] {
        assert!(matches!(key.open("row", &changed(&sealed, at)), Err(VaultError::Sealed { .. })), "at {at}");
    }
}

#[test]
fn what_is_no_sealed_value_is_refused_without_telling_it() {
    let (key, _) = vault().new_data_key("org-1").unwrap();
    for found in ["", "canary", "v2.AAAA", "v1.canary!", "v1.AAAA"] {
        let error = key.open("row", found).unwrap_err();
        assert!(matches!(error, VaultError::Format { .. }), "{found}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_wrapped_data_key_opens_again_for_its_organization_alone() {
    let vault = vault();
    let (key, wrapped) = vault.new_data_key("org-1").unwrap();
    let sealed = key.seal("row", &secret()).unwrap();
    let again = vault.data_key("org-1", &wrapped).unwrap();
    assert_eq!(again.open("row", &sealed).unwrap().expose_secret(), secret().expose_secret());
    assert!(matches!(vault.data_key("org-2", &wrapped), Err(VaultError::Wrapped { .. })));
}

#[test]
fn another_master_key_has_another_fingerprint_and_opens_nothing() {
    let (first, second) = (vault(), vault());
    let (_, wrapped) = first.new_data_key("org-1").unwrap();
    assert_ne!(first.fingerprint(), second.fingerprint());
    let error = second.data_key("org-1", &wrapped).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data key of org-1 does not open with this master key: name the key of this database by `master_key_file`, \
         or restore the database from its backup"
    );
}

#[test]
fn rotation_keeps_the_data_key_under_a_new_master_key() {
    let (old, new) = (vault(), vault());
    let (key, wrapped) = old.new_data_key("org-1").unwrap();
    let (sealed, hash) = (key.seal("row", &secret()).unwrap(), key.keyed_hash("audit", &[b"x"]));
    let rewrapped = new.rewrap(&old, "org-1", &wrapped).unwrap();
    let after = new.data_key("org-1", &rewrapped).unwrap();
    assert_eq!(after.open("row", &sealed).unwrap().expose_secret(), secret().expose_secret());
    assert_eq!(after.keyed_hash("audit", &[b"x"]), hash);
    assert!(old.data_key("org-1", &rewrapped).is_err());
}

#[test]
fn hashes_differ_by_key_by_purpose_and_by_where_parts_end() {
    let vault = vault();
    let (key, _) = vault.new_data_key("org-1").unwrap();
    let (other, _) = vault.new_data_key("org-2").unwrap();
    let hash = key.keyed_hash("target", &[b"ab", b"c"]);
    assert_eq!(hash.len(), 64);
    assert_eq!(hash, key.keyed_hash("target", &[b"ab", b"c"]));
    assert_ne!(hash, key.keyed_hash("audit", &[b"ab", b"c"]));
    assert_ne!(hash, key.keyed_hash("target", &[b"a", b"bc"]));
    assert_ne!(hash, other.keyed_hash("target", &[b"ab", b"c"]));
}

#[test]
fn derived_keys_are_those_of_rfc_5869_and_rfc_2104() {
    // Computed apart, with Python's hmac, from a key of 32 bytes 0x07: sealed values and hashes outlive this program.
    assert_eq!(hex::encode(*crypto::derive(&[7; 32], "purpose")), DERIVED);
    assert_eq!(crypto::keyed_hash(&[7; 32], "purpose", &[b"ab", b"c"]), HASHED);
}

const DERIVED: &str = "09858fef5f5935adaa938c12a6fcabd66cf5ccf67afad05a5c034209fd632fb9";
const HASHED: &str = "8ddb1624fd7b07c93beb92401a6cb27d719dd13c697d0c9a740e288f6c9192a8";

#[test]
fn debug_shows_no_key() {
    let master = MasterKey(crypto::random_key().unwrap());
    assert_eq!(format!("{master:?}"), "MasterKey(..)");
    let vault = Vault::new(master);
    let (key, _) = vault.new_data_key("org-1").unwrap();
    assert_eq!(format!("{vault:?} {key:?}"), "Vault(..) DataKey(..)");
}

#[test]
fn a_made_master_key_is_its_owners_alone_and_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pqh.key");
    let made = Vault::new(MasterKey::create(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Vault::new(MasterKey::load(&path).unwrap()).fingerprint(), made.fingerprint());
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# The master key"));
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pqh.key");
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(MasterKey::create(&path), Err(VaultError::Exists { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pqh.key");
    MasterKey::create(&path).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let message = MasterKey::load(&path).unwrap_err().to_string();
        assert!(message.ends_with(&format!("has mode {mode:04o}: run chmod 600 {}", path.display())), "{message}");
    }
}

#[test]
fn a_missing_and_a_damaged_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pqh.key");
    assert!(matches!(MasterKey::load(&path), Err(VaultError::Missing { .. })));
    MasterKey::create(&path).unwrap();
    let key = std::fs::read_to_string(&path).unwrap();
    for found in ["", "# nothing\n", "canary\n", &key[..key.len() - 5], &format!("{key}{key}")] {
        std::fs::write(&path, found).unwrap();
        let error = MasterKey::load(&path).unwrap_err();
        assert!(matches!(error, VaultError::NoKey { .. }), "{found:?}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
