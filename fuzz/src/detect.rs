//! Detection of formats: deterministic, and consistent with reading.

use loopiq::import::{self, ImportError};

pub(crate) fn hold(data: &[u8]) {
    let found = import::detect(data);
    assert_eq!(found, import::detect(data), "two looks differ");
    match (import::read_any(data), found) {
        (Ok((format, scans)), _) => {
            assert_eq!(Some(format), found);
            assert_eq!(import::read(format, data), Ok(scans));
        }
        (Err(ImportError::Unrecognised), found) => assert_eq!(found, None),
        (Err(error), Some(format)) => assert_eq!(import::read(format, data), Err(error)),
        // A file that is not text, or of a format that is only named, has no format.
        (
            Err(
                ImportError::OtherEncoding { .. }
                | ImportError::NotText { .. }
                | ImportError::Truncated { .. }
                | ImportError::NotRead { .. }
                | ImportError::TextBefore { .. },
            ),
            None,
        ) => {}
        (Err(error), None) => panic!("of no format, and yet {error:?}"),
    }
}
