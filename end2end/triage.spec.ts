import { type Locator, type Page } from "@playwright/test";
import { expect, shots, test } from "./fixtures";
import { many, sarif } from "./sarif";
import { Api, COMMIT, importScan, looked, notice, opener, pick, signIn, tab, upload } from "./steps";

const SCAN = sarif("Example Scan", [
  { rule: "sql", message: "A query is put together from text", path: "store/query.go", line: 12, score: 9.5 },
  ...many(2, { rule: "race", message: "A map is shared without a lock", folder: "executor", score: 8 }),
  ...many(2, { rule: "error", message: "An error is dropped", folder: "feed", score: 5 }),
  { rule: "name", message: "A name says nothing", path: "feed/util.go", score: 2 },
]);

/** The same, with nothing below the first finding that blocks: one person decides about that alone. */
const MILD = sarif("Example Scan", [
  { rule: "sql", message: "A query is put together from text", path: "store/query.go", line: 12, score: 9.5 },
  ...many(2, { rule: "race", message: "A map is shared without a lock", folder: "executor", score: 6 }),
  ...many(2, { rule: "error", message: "An error is dropped", folder: "feed", score: 5 }),
  { rule: "name", message: "A name says nothing", path: "feed/util.go", score: 2 },
]);

/** The ticks of a list of findings, each by its number. */
function ticks(page: Page): Locator {
  return page.getByRole("checkbox", { name: /^Select F-/ });
}

async function tick(page: Page, ...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    await page.getByRole("checkbox", { name: `Select F-${number}`, exact: true }).check();
  }
}

function line(page: Page, number: number): Locator {
  return page.getByRole("row").filter({ has: page.getByRole("checkbox", { name: `Select F-${number}`, exact: true }) });
}

/** One of the list's ready-made filters. */
async function view(page: Page, name: string): Promise<void> {
  const views = page.getByRole("navigation", { name: "Saved filters" });
  const link = views.getByRole("link", { name: new RegExp(`^${name}`) });
  await link.click();
  await expect(link).toHaveAttribute("aria-current", "true");
}

test("many findings are decided about together, and put back", async ({ holdpoint, page, anotherBrowser }) => {
  test.setTimeout(150_000);
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const ben = await holdpoint.person("Ben Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, `/reviews/${review}/findings/decisions`);
  await expect(page.getByRole("heading", { name: "No decision about several findings yet" })).toBeVisible();
  await looked(page);
  await upload(page, MILD);
  await importScan(page);
  await tab(page, "Findings");
  await expect(ticks(page)).toHaveCount(6);

  // The list asks for the outcome; the next page shows the rest, and what was ticked and chosen is still there.
  await tick(page, 1, 2, 3);
  const bar = page.getByRole("group", { name: "Decide about several findings" });
  await expect(bar).toBeVisible();
  await looked(page);
  await bar.getByLabel("Outcome").selectOption("False positive");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decide about findings");
  const asked = async () => {
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decide about findings");
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.locator("[aria-invalid=true]")).toHaveCount(0);
    await expect(ticks(page)).toHaveCount(3);
  };
  await asked();
  await expect(page.getByRole("radio", { name: "False positive" })).toBeChecked();
  await looked(page);
  await shots(page, "decide-about-findings");
  // Only what was seen and left empty is refused.
  await page.getByRole("button", { name: "Apply to what is ticked" }).click();
  await expect(page.getByLabel("Reason")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("radio", { name: "False positive" })).toBeChecked();
  await expect(ticks(page)).toHaveCount(3);
  await looked(page);
  await page.getByRole("link", { name: "Back to the list" }).click();
  await tick(page, 1, 2, 3);
  await bar.getByRole("button", { name: "Go on" }).click();
  await asked();
  await expect(page.getByRole("radio", { name: "Map to item" })).toBeChecked();
  await page.getByRole("button", { name: "Apply to what is ticked" }).click();
  await expect(page.getByRole("combobox", { name: "Item" })).toHaveAttribute("aria-invalid", "true");
  await looked(page);
  await pick(page, "False positive");
  await page.getByRole("checkbox", { name: "Select F-1" }).uncheck();
  await page.getByLabel("Reason").fill("The lock is in the caller.");
  await page.getByRole("button", { name: "Apply to what is ticked" }).click();
  await expect(notice(page)).toHaveText("2 findings are called false positives.");
  await expect(ticks(page)).toHaveCount(4);
  const last = page.getByRole("group", { name: "Your last decision about several findings" });
  await expect(last).toContainText("You called 2 findings false positives");
  await looked(page);
  await last.getByRole("button", { name: /^Undo/ }).click();
  await expect(notice(page)).toHaveText("2 findings put back.");
  await expect(last).toHaveCount(0);
  await expect(ticks(page)).toHaveCount(6);
  await expect(line(page, 2)).toContainText("Open");

  // Once more, said in the list at once.
  await tick(page, 2, 3);
  await bar.getByLabel("Outcome").selectOption("False positive");
  await bar.getByLabel("Reason", { exact: true }).fill("The lock is in the caller.");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(notice(page)).toHaveText("2 findings are called false positives.");
  await view(page, "All");
  await expect(line(page, 2)).toContainText("False positive");
  await line(page, 2).getByRole("link", { name: /A map is shared/ }).click();
  await expect(page.getByRole("region", { name: "Decided" })).toContainText("The lock is in the caller.");
  await looked(page);

  // What the rules do not allow is not done and told by number; the reason and the ticks are kept.
  await tab(page, "Findings");
  await view(page, "All");
  await tick(page, 1, 2);
  await bar.getByLabel("Outcome").selectOption("Reopen");
  await bar.getByLabel("Reason", { exact: true }).fill("The caller has changed.");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("alert")).toHaveText("Done: 1 of 2. Not done: F-1: This finding is open already.");
  await expect(page.getByLabel("Reason")).toHaveValue("The caller has changed.");
  await expect(ticks(page)).toHaveCount(1);
  await expect(page.getByRole("checkbox", { name: "Select F-1" })).toBeChecked();
  await looked(page);
  await pick(page, "Duplicate of");
  await page.getByLabel("Finding", { exact: true }).fill("F-99");
  await page.getByRole("button", { name: "Apply to what is ticked" }).click();
  await expect(page.getByLabel("Finding", { exact: true })).toHaveAccessibleDescription(/There is no finding F-99\./);
  await expect(page.getByLabel("Finding", { exact: true })).toHaveValue("F-99");
  await expect(page.getByLabel("Reason")).toHaveValue("The caller has changed.");
  await looked(page);
  await page.getByRole("link", { name: "Back to the list" }).click();
  await expect(line(page, 1)).toContainText("Open");
  await expect(line(page, 2)).toContainText("Open");
  await expect(line(page, 3)).toContainText("False positive");

  // All that match the filter, asked for by one and answered by another.
  await tab(page, "Findings");
  await page.getByLabel("Search in findings").fill("dropped");
  await page.getByLabel("Search in findings").press("Enter");
  await expect(ticks(page)).toHaveCount(2);
  await tick(page, 4);
  await bar.getByLabel("Which findings").selectOption("All 2 that match");
  await bar.getByLabel("Outcome").selectOption("Ask to accept the risk");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByText("All 2 findings that match the filter, also those on")).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  const until = page.getByRole("textbox", { name: "Accepted until" });
  await until.fill("2020-01-01");
  await page.getByLabel("Reason").fill("The feed is replaced in spring.");
  await looked(page);
  await page.getByRole("button", { name: "Apply to all 2" }).click();
  await expect(until).toHaveAccessibleDescription(/Choose a date to come\./);
  await expect(until).toHaveValue("2020-01-01");
  await expect(page.getByLabel("Reason")).toHaveValue("The feed is replaced in spring.");
  await until.fill("2031-03-01");
  await page.getByRole("button", { name: "Apply to all 2" }).click();
  await expect(notice(page)).toHaveText("2 findings are waiting for somebody to accept their risk.");
  await expect(ticks(page)).toHaveCount(2);
  await line(page, 4).getByRole("link", { name: /An error is dropped/ }).click();
  await expect(page.getByRole("button", { name: "Accept the risk" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Withdraw the request" })).toBeVisible();
  await expect(page.getByText("You asked for it, so a manager other than you has to approve.")).toBeVisible();
  await looked(page);
  const other = await anotherBrowser();
  await signIn(other, ben, page.url().slice(holdpoint.url.length));
  await other.getByRole("button", { name: "Accept the risk" }).click();
  await expect(notice(other)).toHaveText("The risk is accepted until the date asked for.");

  // Undone: what somebody decided since stays, and the page says who did what.
  await tab(page, "Findings");
  await last.getByRole("link", { name: "All such decisions" }).click();
  const decisions = page.getByRole("table", { name: "Decisions about several findings, newest first" });
  const first = decisions.getByRole("row").filter({ hasText: "2 findings false positives" }).first();
  await looked(page);
  await decisions.getByRole("button", { name: /^Undo.*risk/ }).click();
  await expect(notice(page)).toHaveText(
    "1 finding put back. 1 finding changed since stays as it is. F-4: Ben Example made it risk accepted since.",
  );
  await first.getByRole("button", { name: /^Undo/ }).click();
  await expect(notice(page)).toContainText("1 finding put back.");
  await expect(notice(page)).toContainText("F-2: Ana Example made it open since.");
  await expect(first).toContainText("Undone by Ana Example");
  await expect(first.getByRole("button")).toHaveCount(0);
  await looked(page);
  await decisions.getByRole("button", { name: /^Undo.*reopened 1 finding/ }).click();
  await expect(notice(page)).toHaveText("1 finding put back.");
  await tab(page, "Findings");
  await view(page, "All");
  await expect(line(page, 1)).toContainText("Open");
  await expect(line(page, 2)).toContainText("False positive");
  await expect(line(page, 3)).toContainText("Open");
  await expect(line(page, 4)).toContainText("Risk accepted");
  await expect(line(page, 5)).toContainText("Open");
  await looked(page);
});

test("a finding that blocks leaves open only when a second person approves", async ({ holdpoint, page, anotherBrowser }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const ben = await holdpoint.person("Ben Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, `/reviews/${review}`);
  await upload(page, SCAN);
  await importScan(page);
  await tab(page, "Findings");
  await tick(page, 2, 4);
  const bar = page.getByRole("group", { name: "Decide about several findings" });
  await bar.getByLabel("Outcome").selectOption("False positive");
  await bar.getByLabel("Reason", { exact: true }).fill("The lock is in the caller.");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(notice(page)).toHaveText(
    "2 findings are called false positives. 1 of them blocks: it waits for another person and is open until then.",
  );
  await expect(line(page, 2)).toContainText("Asked: false positive");
  await line(page, 2).getByRole("link", { name: /A map is shared/ }).click();
  await expect(page.getByText("Ana Example asks to call it a false positive: The lock is in the caller.")).toBeVisible();
  await expect(page.getByRole("button", { name: "It is a false positive" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Withdraw the request" })).toBeVisible();
  await looked(page);
  await shots(page, "second-person");

  const other = await anotherBrowser();
  await signIn(other, ben, `/reviews/${review}`);
  await expect(other.getByText(/Ana Example asks to call it a false positive, which waits for another person/)).toBeVisible();
  await other.goto(page.url());
  await other.getByRole("button", { name: "It is a false positive" }).click();
  await expect(notice(other)).toHaveText("What was asked for is approved.");
  await expect(other.getByText("Now: false positive.")).toBeVisible();
  await expect(other.getByRole("region", { name: "Decided" })).toContainText("asked for by Ana Example");
  await looked(other);
});

test("what a severity may wait is the review's policy, and a list says it", async ({ holdpoint, page }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, `/reviews/${review}`);
  await upload(page, SCAN);
  await importScan(page);
  await tab(page, "Findings");
  const limits = async (expected: Record<number, string>) => {
    for (const [number, limit] of Object.entries(expected)) {
      await expect(line(page, Number(number)).getByRole("cell", { name: limit, exact: true })).toHaveCount(1);
    }
  };
  await limits({ 1: "in 3 days", 2: "in 7 days", 4: "in 30 days" });
  await expect(line(page, 6)).toContainText("none");
  await line(page, 1).getByRole("link", { name: /A query/ }).click();
  await expect(page.getByRole("region", { name: "Details" })).toContainText("in 3 days");

  await page.goto(`/reviews/${review}/settings`);
  const days = page.getByRole("group", { name: "Days that a finding may stay open" });
  await days.getByLabel("Critical").fill("0");
  await days.getByLabel("Low").fill("90");
  await days.getByLabel("Medium").fill("");
  await looked(page);
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(days.getByLabel("Critical")).toHaveAccessibleDescription(/Write a number of days from 1 to 3,650/);
  await expect(days.getByLabel("Critical")).toHaveValue("0");
  await expect(days.getByLabel("Low")).toHaveValue("90");
  await expect(days.getByLabel("Medium")).toHaveValue("");
  await looked(page);
  await days.getByLabel("Critical").fill("2");
  await page.getByLabel("Your password").fill(ana.password);
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(notice(page)).toContainText(/saved|changed/);
  await tab(page, "Findings");
  await limits({ 1: "in 2 days", 2: "in 7 days", 6: "in 90 days" });
  await expect(line(page, 4).getByRole("cell", { name: "none" })).toHaveCount(2);

  // Nothing is late yet, and the facet that asks for it says so.
  const more = opener(page.getByRole("form", { name: "Facets" }), "More");
  await more.click();
  await page.getByRole("checkbox", { name: "Past the limit" }).check();
  await page.getByRole("button", { name: "Show findings" }).click();
  await expect(page.getByText("No finding matches this filter.")).toBeVisible();
  await looked(page);
});
