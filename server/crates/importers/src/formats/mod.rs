//! One module for each scanner format. Each says in its own comment what it supports.
//!
//! A format is data ([`reading::Format`]): how it is recognised, and a function that goes through the file with the help of
//! [`tree`], which makes JSON, XML and CSV one kind of tree. SARIF, which is read most, has an importer of its own.

pub mod advisories;
pub mod anchore_grype;
pub mod bandit;
pub mod betterleaks;
pub mod by_file;
pub mod cargo_audit;
pub mod checkov;
pub mod cloud;
pub mod conftest;
mod cvss;
pub mod cyclonedx;
pub mod dependency_check;
pub mod detect_secrets;
pub mod dockle;
pub mod flat;
pub mod flat_checks;
pub mod generic;
pub mod github;
pub mod gitlab;
pub mod gitleaks;
pub mod gosec;
pub mod govulncheck;
pub mod inventories;
pub mod kics;
pub mod kingfisher;
pub mod kubernetes;
pub mod lint;
mod lists;
pub mod njsscan;
pub mod noseyparker;
pub mod npm_audit_7_plus;
pub mod nuclei;
pub mod osv_scanner;
pub mod pip_audit;
mod ratings;
pub mod reading;
pub mod ruff;
pub mod sarif;
pub mod semgrep;
pub mod snyk;
pub mod sonarqube;
pub mod sslyze;
mod tree;
pub mod trivy;
pub mod trufflehog;
pub mod vex;
pub mod web;
pub mod yamllint;
pub mod zizmor;
