//! Table tests of every check.
