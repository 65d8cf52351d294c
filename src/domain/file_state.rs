//! Whether a stored evidence file still has the bytes that were imported.

use super::string_enum::string_enum;

string_enum! {
    /// The result of hashing a stored evidence file, compared with the SHA-256 that the import recorded.
    FileState {
        /// The bytes have the recorded hash.
        Intact = "intact";
        /// The bytes have another hash.
        Changed = "changed";
        /// No bytes are stored.
        Missing = "missing";
    }
}
