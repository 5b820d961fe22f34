import { type Locator, type Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { type Result, sarif } from "./sarif";
import { Api, COMMIT, evidence, figures, importScan, looked, notice, opener, signIn, tab, upload } from "./steps";

const SECRETS: Result[] = [
  { rule: "generic-api-key", message: "An API key", path: "config/live.env", line: 3, score: 9.5 },
  { rule: "private-key", message: "A private key", path: "deploy/tls.pem", score: 9.5 },
  { rule: "generic-api-key", message: "An API key of the tests", path: "tests/fixtures/key.env", score: 9.5 },
];

const EXECUTOR = "internal/executor";
const CODE: Result[] = [
  { rule: "go.race.shared-map", message: "A map without a lock", path: `${EXECUTOR}/book.go`, line: 41, score: 8 },
  { rule: "go.race.late-close", message: "A channel is closed twice", path: `${EXECUTOR}/feed.go`, line: 9, score: 8 },
  { rule: "go.race.shared-map", message: "A map of the tests is shared", path: "tests/book_test.go", score: 8 },
  { rule: "go.style.long-line", message: "A line is long", path: `${EXECUTOR}/book.go`, line: 2, score: 2 },
];

async function mapping(page: Page): Promise<void> {
  await tab(page, "Findings");
  await page.getByRole("link", { name: "Mapping" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mapping to items");
}

/** Goes from the rules to what applying them would change. */
async function plan(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Apply the rules" }).click();
  await expect(page.getByText("Nothing is changed yet")).toBeVisible();
}

function rules(page: Page): Locator {
  return page.getByRole("table", { name: "Mapping rules in their order" }).getByRole("rowheader");
}

/** The findings on an item's page. */
function linked(page: Page): Locator {
  const table = page.getByRole("table", { name: "Findings linked to this item" });
  return table.getByRole("rowgroup").last().getByRole("row");
}

test("rules bring findings to items, and what a person decided stays", async ({ holdpoint, page }) => {
  test.setTimeout(150_000);
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, `/reviews/${review}/mapping`);
  await expect(page.getByRole("heading", { name: "No rule yet" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Suggested rules" })).toHaveCount(0);
  await looked(page);

  await upload(page, sarif("gitleaks", SECRETS));
  await figures(page, { New: 3 });
  await expect(page.getByRole("listitem").filter({ hasText: "No rule fits" })).toContainText("3");
  await importScan(page);
  await upload(page, sarif("semgrep", CODE));
  await importScan(page);

  // What suggests itself: one is taken, one is not wanted.
  await mapping(page);
  const suggested = page.getByRole("region", { name: "Suggested rules" }).getByRole("listitem");
  await expect(suggested).toHaveCount(2);
  const secrets = suggested.filter({ hasText: "gitleaks" });
  await expect(secrets).toContainText("secret, 3 findings → 2.4.1 Secret Hygiene");
  await expect(secrets).toContainText(/Because it speaks of .*secret/);
  await looked(page);
  await secrets.getByRole("button", { name: /^Accept/ }).click();
  await expect(notice(page)).toContainText("The rule holds for imports from now on.");
  await expect(rules(page)).toHaveText(["gitleaks, secret"]);
  await suggested.filter({ hasText: "semgrep" }).getByRole("button", { name: /^Dismiss/ }).click();
  await expect(notice(page)).toHaveText("The suggestion is dismissed and will not be made again.");
  await expect(suggested).toHaveCount(0);
  await looked(page);

  // One by hand. A rule that asks nothing is refused at its field, one that is there already as a whole.
  const add = page.getByRole("form", { name: "Add a rule" });
  await add.getByLabel("Belongs to item").selectOption({ label: "2.5.1 Critical Path Review" });
  await add.getByRole("button", { name: "Add the rule" }).click();
  const scanner = add.getByLabel("Scanner");
  await expect(scanner).toHaveAttribute("aria-invalid", "true");
  await expect(scanner).toHaveAccessibleDescription(/Say which findings it is about, by at least one condition/);
  await expect(add.getByLabel("Belongs to item")).toHaveValue("2.5.1");
  await looked(page);
  await scanner.fill("gitleaks");
  await add.getByLabel("Category").selectOption("Secret");
  await add.getByRole("button", { name: "Add the rule" }).click();
  await expect(page.getByRole("alert")).toContainText(
    "There is a rule with these conditions already, for 2.4.1. Change that one.",
  );
  await expect(scanner).toHaveValue("gitleaks");
  await expect(add.getByLabel("Category")).toHaveValue("secret");
  await expect(rules(page)).toHaveCount(1);
  await scanner.fill("semgrep*");
  await add.getByLabel("Category").selectOption("Code");
  await add.getByRole("textbox", { name: /^Rule/ }).fill("go.race.*");
  await add.getByRole("textbox", { name: /^Path/ }).fill("internal/");
  await add.getByRole("checkbox", { name: "Critical" }).check();
  await add.getByRole("checkbox", { name: "High" }).check();
  await add.getByRole("button", { name: "Add the rule" }).click();
  await expect(rules(page)).toHaveText([
    "gitleaks, secret",
    "semgrep*, code, rule go.race.*, in internal/, critical or high",
  ]);

  // It is changed, with one slip, and put first.
  await page.getByRole("link", { name: /^Edit semgrep/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Change a mapping rule");
  await expect(page.getByRole("checkbox", { name: "High" })).toBeChecked();
  await looked(page);
  const rule = page.getByRole("textbox", { name: /^Rule/ });
  for (const name of [/^Scanner/, /^Rule/, /^Path/]) {
    await page.getByRole("textbox", { name }).fill("");
  }
  await page.getByLabel("Category").selectOption("Any");
  await page.getByRole("checkbox", { name: "Critical" }).uncheck();
  await page.getByRole("checkbox", { name: "High" }).uncheck();
  await page.getByLabel("Belongs to item").selectOption({ label: "2.1.1 Config Audit" });
  await page.getByRole("button", { name: "Save the rule" }).click();
  await expect(page.getByLabel("Scanner")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Belongs to item")).toHaveValue("2.1.1");
  await expect(rule).toHaveValue("");
  await expect(page.getByRole("checkbox", { name: "High" })).not.toBeChecked();
  await looked(page);
  await page.getByLabel("Scanner").fill("semgrep");
  await rule.fill("go.race.shared-map");
  await page.getByRole("textbox", { name: /^Path/ }).fill("internal/**");
  await page.getByRole("checkbox", { name: "High" }).check();
  await page.getByLabel("Belongs to item").selectOption({ label: "2.5.1 Critical Path Review" });
  await page.getByRole("button", { name: "Save the rule" }).click();
  await expect(notice(page)).toHaveText("The rule is changed.");
  await page.getByRole("button", { name: /^Move up: semgrep/ }).click();
  await expect(notice(page)).toHaveText("The order of the rules is changed.");
  await expect(rules(page)).toHaveText(["semgrep, rule go.race.shared-map, in internal/**, high", "gitleaks, secret"]);
  await expect(page.getByRole("button", { name: /^Move up: semgrep/ })).toBeDisabled();
  await looked(page);

  // Nothing is linked before the plan is applied.
  await plan(page);
  const planned = page.getByRole("table", { name: "What applying the rules changes, by item" });
  await expect(planned.getByRole("row", { name: /2\.4\.1 Secret Hygiene/ })).toContainText("+3");
  await expect(planned.getByRole("row", { name: /2\.5\.1 Critical Path Review/ })).toContainText("+1");
  await expect(page.getByText("No rule fits 3 findings.")).toBeVisible();
  await looked(page);
  await planned.getByRole("link", { name: "2.4.1 Secret Hygiene" }).click();
  await expect(page.getByRole("region", { name: /^Findings/ })).toContainText("No finding is linked to this item.");
  await page.goBack();
  await page.getByRole("button", { name: "Apply the rules now" }).click();
  await expect(notice(page)).toHaveText("The rules are applied: 4 linked, 0 unlinked.");
  await looked(page);
  await page.getByRole("link", { name: "2.4.1 Secret Hygiene" }).click();
  await expect(linked(page)).toHaveCount(3);
  await looked(page);

  // A link that a person takes away is not made again.
  await linked(page).getByRole("link", { name: "An API key of the tests" }).click();
  await expect(page.getByRole("main")).toContainText("by the rule gitleaks, secret");
  await looked(page);
  await page.getByRole("button", { name: "Unmap from 2.4.1" }).click();
  await expect(notice(page)).toHaveText("The finding does not belong to the item any more.");
  await mapping(page);
  await plan(page);
  await expect(page.getByRole("heading", { name: "Nothing would change" })).toBeVisible();
  await expect(page.getByText("1 finding stays as a person mapped it.")).toBeVisible();
  await looked(page);
  await page.getByRole("link", { name: "Back to the rules" }).click();
  await page.getByRole("link", { name: /^Edit semgrep/ }).click();
  await rule.fill("go.race.late-close");
  await page.getByRole("button", { name: "Save the rule" }).click();
  await plan(page);
  const moved = planned.getByRole("row", { name: /2\.5\.1 Critical Path Review/ });
  await expect(moved).toContainText("+1");
  await expect(moved).toContainText("−1");
  await expect(planned.getByRole("row", { name: /2\.4\.1/ })).toHaveCount(0);
  await looked(page);
  await page.getByRole("button", { name: "Apply the rules now" }).click();
  await expect(notice(page)).toHaveText("The rules are applied: 1 linked, 1 unlinked.");
  await page.getByRole("link", { name: "2.5.1 Critical Path Review" }).click();
  await expect(linked(page)).toHaveCount(1);
  await expect(linked(page)).toContainText("A channel is closed twice");
  await mapping(page);
  await page.getByRole("link", { name: "2.4.1 Secret Hygiene" }).click();
  await expect(linked(page)).toHaveCount(2);
  await expect(linked(page).filter({ hasText: "An API key of the tests" })).toHaveCount(0);

  // The rules hold for what comes later: a new finding is linked at once, and a clean scan speaks for the item.
  await upload(page, sarif("gitleaks", [...SECRETS, { ...SECRETS[1]!, path: "deploy/new.pem" }], "1.0.1"));
  const mapped = page.getByRole("region", { name: "What gitleaks would change" });
  await expect(mapped.getByRole("listitem").filter({ hasText: "2.4.1 Secret Hygiene" })).toContainText("1");
  await importScan(page);
  await upload(page, sarif("gitleaks", [], "1.0.2"));
  await expect(page.getByText("A clean scan.")).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "This clean scan becomes evidence of" })).toContainText(
    "2.4.1 Secret Hygiene",
  );
  await looked(page);
  await importScan(page);
  await mapping(page);
  await page.getByRole("link", { name: "2.4.1 Secret Hygiene" }).click();
  await expect(linked(page)).toHaveCount(3);
  await expect(page.getByRole("heading", { name: "Findings 0 open" })).toBeVisible();
  await expect(evidence(page, /gitleaks/)).toHaveCount(1);
  await looked(page);

  // A rule that is taken out keeps its links until the rules are applied.
  await mapping(page);
  const row = page.getByRole("row").filter({ hasText: "gitleaks, secret" });
  await opener(row, "Remove").click();
  await row.getByRole("button", { name: "Remove the rule" }).click();
  await expect(notice(page)).toHaveText("The rule is removed. Its links stay until the rules are applied again.");
  await expect(rules(page)).toHaveCount(1);
});
