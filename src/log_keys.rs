//! The keys of the audit log. Each entry has a *seal*, a message authentication code over its leaf, so that the service recognises the entries
//! that it wrote itself. Checkpoints are signed. An attacker who can write the database but not read the keys can forge neither.

use hmac::{Hmac, KeyInit, Mac};
use loopiq_audit_log::{Checkpoint, Hash, NotAKey, Note, PublicKey, SigningKey, hex};
use sha2::Sha256;
use std::sync::{Arc, PoisonError, RwLock};

/// Separates the seals' key from all other uses of the signing key.
const SEAL: &[u8] = b"loopiq audit seal v1";

/// The keys of an installation, which all its nodes share: the key that signs, and older ones, whose seals and signatures are still valid.
#[derive(Clone)]
pub struct LogKeys {
    keys: Arc<RwLock<Arc<[LogKey]>>>,
    file: Option<Arc<dyn KeyFile>>,
}

/// Where the keys are stored, so that they can be replaced while the service runs.
pub trait KeyFile: Send + Sync {
    /// The text of the keys ([`LogKeys::parse`]).
    ///
    /// # Errors
    /// One line that says why it cannot be read.
    fn read(&self) -> Result<String, String>;
    /// Replaces the text, as a whole or not at all.
    ///
    /// # Errors
    /// One line that says why it cannot be written.
    fn write(&self, text: &str) -> Result<(), String>;
    /// The note of a tenant's last checkpoint that was kept with the keys.
    fn last_note(&self, _tenant: &str) -> Option<String> {
        None
    }
    /// Keeps a note with the keys.
    ///
    /// # Errors
    /// One line that says why it cannot be written.
    fn keep_note(&self, _tenant: &str, _note: &str) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Clone)]
struct LogKey {
    signing: SigningKey,
    /// The state of the code after the key, which each seal starts from.
    seal: Hmac<Sha256>,
}

impl LogKey {
    fn new(signing: SigningKey) -> Self {
        let code = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        let derived = code(signing.seed()).chain_update(SEAL).finalize().into_bytes();
        Self {
            seal: code(&derived),
            signing,
        }
    }

    fn seal(&self, leaf_hash: &Hash) -> String {
        let code = self.seal.clone().chain_update(leaf_hash.0).finalize().into_bytes();
        hex(&code[..16])
    }
}

impl LogKeys {
    /// The key that signs from now on, and older ones.
    pub fn new(signs: SigningKey, older: impl IntoIterator<Item = SigningKey>) -> Self {
        let keys = std::iter::once(signs).chain(older).map(LogKey::new).collect();
        Self {
            keys: Arc::new(RwLock::new(keys)),
            file: None,
        }
    }

    /// One key that is not secret, for tests, benchmarks and examples.
    ///
    /// # Panics
    /// Never: the name is valid.
    pub fn not_secret() -> Self {
        let key = SigningKey::new("loopiq.test/audit", &[7; 32]);
        Self::new(key.expect("a valid name"), [])
    }

    /// Reads the text of a key file: one private key in each line, the one that signs first.
    ///
    /// # Errors
    /// There is no key, or a line is none. The error does not contain the line.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut keys = lines
            .map(SigningKey::from_secret)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let signs = keys.next().ok_or(NotAKey::PrivateFormat)?;
        Ok(Self::new(signs, keys))
    }

    /// The text of a key file, which is a secret.
    pub fn to_secret(&self) -> String {
        self.keys().iter().map(|key| key.signing.to_secret() + "\n").collect()
    }

    /// The same keys, which are stored in this file.
    pub fn stored_in(self, file: Arc<dyn KeyFile>) -> Self {
        Self {
            file: Some(file),
            ..self
        }
    }

    /// Stores new keys in their file.
    ///
    /// # Errors
    /// One line that says why they cannot be stored.
    pub fn store(&self) -> Result<(), String> {
        self.file.as_ref().map_or(Ok(()), |file| file.write(&self.to_secret()))
    }

    /// Signs and seals with a new key from now on. The older keys stay valid. The new keys are stored first.
    ///
    /// # Errors
    /// One line: the keys come from a setting, where they have to be replaced, or they cannot be stored.
    pub fn rotate(&self, seed: &[u8; 32]) -> Result<(), String> {
        let file = self.file.as_ref().ok_or(
            "the keys come from a setting (LOOPIQ_AUDIT_KEY); put the new key there, in the line before the others",
        )?;
        self.reload();
        let new = SigningKey::new(self.signing().public().name(), seed).map_err(|error| error.to_string())?;
        let keys = Self::new(new, self.all());
        file.write(&keys.to_secret())?;
        self.replace(&keys);
        Ok(())
    }

    /// Reads the keys again, because another node may have replaced them. Returns whether they were changed.
    pub fn reload(&self) -> bool {
        let read = self.file.as_ref().and_then(|file| file.read().ok());
        let Some(read) = read.and_then(|text| Self::parse(&text).ok()) else {
            return false;
        };
        let changed = read.public() != self.public();
        if changed {
            self.replace(&read);
        }
        changed
    }

    fn replace(&self, other: &Self) {
        let keys = other.keys();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn keys(&self) -> Arc<[LogKey]> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that signs.
    pub fn signing(&self) -> SigningKey {
        self.keys()[0].signing.clone()
    }

    /// All keys, the one that signs first.
    pub fn all(&self) -> Vec<SigningKey> {
        self.keys().iter().map(|key| key.signing.clone()).collect()
    }

    /// The public keys, the one that signs first.
    pub fn public(&self) -> Vec<PublicKey> {
        self.keys().iter().map(|key| key.signing.public().clone()).collect()
    }

    /// The seal of an entry: 32 hex digits.
    pub fn seal(&self, leaf_hash: &Hash) -> String {
        self.keys()[0].seal(leaf_hash)
    }

    /// Whether one of the keys made this seal. Reads the keys again if none did.
    pub fn sealed(&self, leaf_hash: &Hash, seal: &str) -> bool {
        let known = || {
            self.keys()
                .iter()
                .any(|key| constant_time_eq(&key.seal(leaf_hash), seal))
        };
        known() || (self.reload() && known())
    }

    /// The last checkpoint of a tenant's log that this node has signed or seen, kept outside the database: a database that has fewer entries was
    /// set back. `None` if there is none, or if it cannot be read.
    pub fn remembered(&self, tenant: &str) -> Option<Checkpoint> {
        let note: Note = self.file.as_ref()?.last_note(tenant)?.parse().ok()?;
        note.verify(&self.public()).ok()?;
        let checkpoint: Checkpoint = note.text.parse().ok()?;
        (checkpoint.origin == self.origin(tenant)).then_some(checkpoint)
    }

    /// Keeps a checkpoint outside the database.
    ///
    /// # Errors
    /// One line that says why it cannot be kept.
    pub fn remember(&self, tenant: &str, note: &Note) -> Result<(), String> {
        let file = self.file.as_ref();
        file.map_or(Ok(()), |file| file.keep_note(tenant, &note.to_string()))
    }

    /// The name of the log of a tenant in its checkpoints.
    pub fn origin(&self, tenant: &str) -> String {
        format!("{}/{tenant}", self.keys()[0].signing.public().name())
    }
}

/// Compares in a time that does not depend on where the texts differ.
fn constant_time_eq(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::new("loopiq.example/audit", &[seed; 32]).expect("a key")
    }

    #[test]
    fn seals_of_older_keys_stay_valid() {
        let (one, two) = (LogKeys::new(key(1), []), LogKeys::new(key(2), [key(1)]));
        let (leaf, other) = (Hash::of(b"leaf"), Hash::of(b"other"));
        let seal = one.seal(&leaf);
        assert!(one.sealed(&leaf, &seal) && two.sealed(&leaf, &seal));
        assert!(!one.sealed(&other, &seal) && !LogKeys::new(key(2), []).sealed(&leaf, &seal));
        for bad in ["", &seal[1..], &format!("{seal}0"), &seal.to_uppercase()] {
            assert!(!one.sealed(&leaf, bad) || bad == seal, "{bad}");
        }
        assert_ne!(two.seal(&leaf), seal);
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        let keys = LogKeys::new(key(2), [key(1)]);
        let read = LogKeys::parse(&keys.to_secret()).expect("a key file");
        assert_eq!(read.public(), keys.public());
        assert_eq!(read.origin("acme"), "loopiq.example/audit/acme");
        for bad in ["", "\n\n", "PRIVATE+KEY+", &format!("{}x", keys.to_secret())] {
            assert!(LogKeys::parse(bad).is_err());
        }
    }

    #[derive(Default)]
    struct Memory(std::sync::Mutex<String>);

    impl KeyFile for Memory {
        fn read(&self) -> Result<String, String> {
            Ok(self.0.lock().expect("a lock").clone())
        }
        fn write(&self, text: &str) -> Result<(), String> {
            text.clone_into(&mut self.0.lock().expect("a lock"));
            Ok(())
        }
    }

    #[test]
    fn every_node_learns_a_new_key() {
        let file = Arc::new(Memory::default());
        let node = || LogKeys::new(key(1), []).stored_in(file.clone());
        let (one, two) = (node(), node());
        file.write(&one.to_secret()).expect("a file");
        one.rotate(&[2; 32]).expect("a new key");
        assert_eq!(one.public(), [key(2).public().clone(), key(1).public().clone()]);
        let leaf = Hash::of(b"leaf");
        assert!(
            two.sealed(&leaf, &one.seal(&leaf)),
            "the other node reads the file again"
        );
        assert_eq!(two.public(), one.public());
        assert!(!two.reload());
        let fixed = LogKeys::new(key(1), []);
        assert!(
            fixed
                .rotate(&[2; 32])
                .expect_err("no file")
                .contains("LOOPIQ_AUDIT_KEY")
        );
        *file.0.lock().expect("a lock") = "damaged".to_owned();
        assert!(
            !one.reload() && one.public().len() == 2,
            "a damaged file changes nothing"
        );
    }
}
