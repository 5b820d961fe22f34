scoutsuite_results =
{
  "account_id": "123456789012",
  "last_run": { "time": "2025-09-02 10:00:00+0000", "version": "5.14.0", "ruleset_name": "default", "summary": { "s3": { "checked_items": 3, "flagged_items": 3, "max_level": "danger", "rules_count": 2, "resources_count": 2 } } },
  "metadata": {},
  "provider_code": "aws",
  "provider_name": "Amazon Web Services",
  "services": {
    "s3": {
      "buckets": { "b1": { "name": "till", "grantees": [] } },
      "buckets_count": 2,
      "findings": {
        "s3-bucket-world-acl": {
          "checked_items": 2, "flagged_items": 2, "compliance": null, "dashboard_name": "Buckets",
          "description": "Bucket World Writable", "items": ["s3.buckets.b1.grantees.w", "s3.buckets.b2.grantees.w"],
          "level": "danger", "path": "s3.buckets.id.grantees.id", "rationale": "Anybody writes.", "references": ["https://example.com/s3"], "remediation": "Close it.", "service": "S3"
        },
        "s3-bucket-no-versioning": {
          "checked_items": 1, "flagged_items": 1, "dashboard_name": "Buckets",
          "description": "Bucket Without Versioning", "items": ["s3.buckets.b1.versioning"],
          "level": "warning", "path": "s3.buckets.id", "rationale": "Nothing comes back.", "references": [], "remediation": null, "service": "S3"
        },
        "s3-bucket-no-logging": { "checked_items": 1, "flagged_items": 0, "description": "Bucket Without Logging", "items": [], "level": "warning", "references": [], "service": "S3" }
      }
    },
    "unsupported": null
  }
}
