//! One module for each scanner format. Each says in its own comment what it supports.

pub mod sarif;
