//! Kept reports.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use holdpoint_domain::Digest;
use holdpoint_report::FixedReport;

use crate::sample::released;

#[test]
fn a_kept_report_of_another_format_is_not_taken_for_one_of_this() {
    let report = FixedReport::of(released());
    let packed = report.pack();
    let read = FixedReport::unpack(&packed.bytes[..], &packed.sha256).unwrap();
    assert_eq!(read, report);

    let mut document = String::new();
    GzDecoder::new(&packed.bytes[..])
        .read_to_string(&mut document)
        .unwrap();
    let later = document.replace("holdpoint-fixed-report@v1", "holdpoint-fixed-report@v9");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(later.as_bytes()).unwrap();
    let refused = FixedReport::unpack(&gzip.finish().unwrap()[..], &Digest::of(later.as_bytes()));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("@v9"), "{refused}");
}
