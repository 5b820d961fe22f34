import { expect, test } from "./fixtures";
import { loadSample, signIn, tab } from "./steps";

// Roles, names and order, as assistive technology is told them. What is not said here may be there too.
test("the main pages say what they are and what can be done", async ({ holdpoint, page }) => {
  const sample = await loadSample(holdpoint);
  await page.goto("/sign-in");
  await expect(page.locator("body")).toMatchAriaSnapshot(`
    - link "Skip to content"
    - main:
      - region "Sign in":
        - heading "Sign in" [level=1]
        - textbox "Email"
        - textbox "Password"
        - button "Sign in"
        - paragraph:
          - link "verify a report"
  `);

  await signIn(page, sample.reviewer, `/reviews/${sample.review}`);
  await expect(page.locator("body")).toMatchAriaSnapshot(`
    - link "Skip to content"
    - banner:
      - link "Holdpoint home, all reviews"
      - navigation "Breadcrumb":
        - list:
          - listitem:
            - link "Reviews"
      - search "Everything":
        - searchbox "Search items, findings and files"
      - link "2 things wait for you"
    - navigation "Review OpenSQT Market Maker v1.0.0":
      - link "Readiness"
      - link "Checklist 13 items"
      - link "Findings 117 open"
      - link "Scans"
      - link "Patches 1 patches"
      - link "Sign-off 0/1 signatures valid"
      - link "Activity"
    - main:
      - heading "OpenSQT Market Maker v1.0.0" [level=1]
      - link "Report"
      - link "Sign or decide"
      - region "NO-GO":
        - heading "NO-GO" [level=2]
        - list "Reasons for no-go":
          - listitem:
            - paragraph:
              - link "2 critical and 6 high findings are open"
          - listitem:
            - paragraph:
              - link "12 blocker items are not decided"
          - listitem:
            - paragraph:
              - link "3 of 3 deliverables are not done"
      - region "Progress to the hold point":
        - heading "Progress to the hold point" [level=2]
        - list:
          - listitem:
            - 'link "2.1.1 Config Audit: In progress"'
          - listitem:
            - 'link "2.1.2 Dependency Check: Open"'
          - listitem:
            - 'link "2.1.3 Docker Compose: Open"'
      - 'region "What blocks the release: 12 items"'
      - region "Release decision"
      - region "Open findings"
      - region "Who has what"
  `);

  await tab(page, "Checklist");
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - heading "Checklist" [level=1]
    - link "Ticked document"
    - link "Settings"
    - button "Add item" [disabled]
    - navigation "Saved filters":
      - link "All items 13"
      - link "My items 0"
      - link "My reviews 13"
      - link "Open blockers 12"
    - form "Filter items":
      - searchbox "Search in items"
      - combobox "Status"
      - combobox "Owner"
      - combobox "Reviewer"
      - button "Filter"
    - region "Checklist items":
      - table "13 items, 5 sections on this page":
        - rowgroup:
          - row:
            - columnheader "Select"
            - columnheader "Item"
            - columnheader "Status"
            - columnheader "Gate"
            - columnheader "Owner"
            - columnheader "Reviewer"
            - columnheader "Evidence"
            - columnheader "Findings"
            - columnheader "Patches"
            - columnheader "Due"
        - rowgroup:
          - row "2.1 Architecture & Configuration 0 of 3 cleared 3 blockers left"
          - row:
            - cell:
              - checkbox "Select 2.1.1 Config Audit"
            - cell:
              - link "Config Audit"
            - cell "In progress"
            - cell "Blocker"
            - cell "Jonas Lindqvist"
            - cell "Mira Okafor"
    - region "Deliverables"
  `);

  await page.getByRole("link", { name: "Network Exposure" }).click();
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - heading "2.4.2 Network Exposure" [level=1]
    - navigation "Items":
      - link "Previous item 2.4.1"
      - link "Next item 2.5.1"
    - region "Workflow":
      - button "Back to work"
      - link "Pass"
      - link "Fail"
      - link "Not applicable"
      - button "Waive" [disabled]
    - region "Requirement"
    - region "Evidence 1":
      - link "Add evidence"
    - region "Findings 1 open":
      - link "Write a finding"
      - region "Findings linked to this item":
        - table "Findings linked to this item"
    - region "Patches 0"
    - region "Discussion 0":
      - textbox "Add a comment"
      - button "Comment"
    - complementary "Decision and details":
      - region "Details"
      - form "Decide and sign":
        - group "Decision":
          - radio "Pass"
          - radio "Fail"
          - radio "Not applicable"
          - radio "Waive" [disabled]
        - textbox "Statement"
        - textbox "Your password"
        - button "Sign 2.4.2"
      - region "Activity"
  `);

  await tab(page, "Findings");
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - heading "Findings" [level=1]
    - link "Write a finding"
    - link "Import scans"
    - group:
      - form "Facets":
        - group:
          - group "Severity":
            - checkbox "Critical 2"
            - checkbox "High 6"
        - group:
          - group "Status":
            - checkbox "Open 117" [checked]
            - checkbox "Fixed 18"
        - group:
          - group "Scanner":
            - checkbox "Written by hand 7"
            - checkbox "Semgrep OSS 103"
        - button "Show findings"
    - navigation "Saved filters":
      - link "Open 117"
      - link "Without item 110"
      - link "All 135"
    - searchbox "Search in findings"
    - region "Findings, worst first":
      - table "Findings, worst first":
        - rowgroup:
          - row:
            - columnheader "Severity"
            - columnheader "Finding"
            - columnheader "Location"
            - columnheader "Scanner"
            - columnheader "Item"
            - columnheader "Status"
            - columnheader "Limit"
        - rowgroup:
          - row:
            - cell:
              - checkbox "Select F-1"
            - cell "Critical"
            - cell /^F-1 .*retry jitter/:
              - link /retry jitter/
            - cell "By hand"
            - cell "2.5.1"
            - cell "Fix proposed"
  `);
});
