import { readFileSync } from "node:fs";
import { type Locator, type Page } from "@playwright/test";
import { type Holdpoint, expect, test } from "./fixtures";
import { many, sarif } from "./sarif";
import { Api, COMMIT, importScan, looked, notice, opener, signIn, tab, upload } from "./steps";

const CODE = sarif("Example Scan", [
  ...many(60, { rule: "race", message: "A map is shared without a lock", folder: "executor", score: 8 }),
  ...many(120, { rule: "error", message: "An error is dropped", folder: "feed", score: 5 }),
  ...many(90, { rule: "name", message: "A name says nothing", folder: "feed/util", score: 2 }),
]);
const SECRETS = sarif("gitleaks", [
  ...many(30, { rule: "generic-api-key", message: "An API key", folder: "config", score: 9.5 }),
]);

/** The list of a review with three hundred findings of two scanners. */
async function threeHundred(holdpoint: Holdpoint, page: Page): Promise<void> {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, `/reviews/${review}`);
  for (const file of [CODE, SECRETS]) {
    await upload(page, file);
    await importScan(page);
  }
  await tab(page, "Findings");
}

/** The numbers of the findings on this page of the list, from its top. */
async function shown(page: Page): Promise<string[]> {
  const ticks = page.getByRole("checkbox", { name: /^Select F-/ });
  await expect(ticks.first()).toBeVisible();
  const names = await page.getByRole("row").getByText(/^F-\d+$/).allTextContents();
  expect(names).toHaveLength(await ticks.count());
  return names;
}

function facets(page: Page): Locator {
  return page.getByRole("form", { name: "Facets" });
}

function facet(page: Page, group: string, name: RegExp): Locator {
  return facets(page).getByRole("group", { name: group, exact: true }).getByRole("checkbox", { name });
}

async function show(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Show findings" }).click();
}

async function search(page: Page, words: string): Promise<void> {
  await page.getByLabel("Search in findings").fill(words);
  await page.getByLabel("Search in findings").press("Enter");
}

function column(page: Page, name: string): Locator {
  return page.getByRole("columnheader", { name: new RegExp(`^${name}`) });
}

/** What the list is as a file: by its number, all that it names. */
async function exported(page: Page, form: "CSV" | "SARIF"): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: form, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

/** The paths that a SARIF file names, in the order of the alphabet. */
function paths(text: string): string[] {
  type Place = { physicalLocation: { artifactLocation: { uri: string } } };
  const { runs } = JSON.parse(text) as { runs: { results: { locations: Place[] }[] }[] };
  return runs
    .flatMap(({ results }) => results)
    .map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri ?? "")
    .sort();
}

test("three hundred findings are cut, searched, ordered and read page by page", async ({ holdpoint, page }) => {
  test.setTimeout(150_000);
  await threeHundred(holdpoint, page);
  await expect(page.getByText("300 open of 300")).toBeVisible();
  await looked(page);

  // From page to page and back; no finding twice, none left out.
  const pages = page.getByRole("navigation", { name: "Pages" });
  const all: string[] = [];
  for (let at = 0; at < 6; at += 1) {
    const numbers = await shown(page);
    expect(numbers).toHaveLength(50);
    all.push(...numbers);
    if (at === 1) {
      await looked(page);
    }
    if (at < 5) {
      await pages.getByRole("link", { name: "Next" }).click();
      await expect(page.getByRole("checkbox", { name: `Select ${numbers[0]}`, exact: true })).toHaveCount(0);
    }
  }
  expect(new Set(all).size).toBe(300);
  await expect(pages.getByRole("link", { name: "Next" })).toHaveCount(0);
  await pages.getByRole("link", { name: "Previous" }).click();
  await expect(page.getByRole("checkbox", { name: `Select ${all[200]}`, exact: true })).toBeVisible();
  expect(await shown(page)).toEqual(all.slice(200, 250));
  await pages.getByRole("link", { name: "First" }).click();
  await expect(page.getByRole("checkbox", { name: `Select ${all[0]}`, exact: true })).toBeVisible();
  expect(await shown(page)).toEqual(all.slice(0, 50));

  // Orders: the head leads to the other way round, and says which is in force.
  await expect(column(page, "Severity")).toHaveAttribute("aria-sort", "descending");
  await column(page, "Severity").getByRole("link").click();
  await expect(column(page, "Severity")).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("row").nth(1)).toContainText("Low");
  // What falls due first comes first; the mild ones have no limit.
  await column(page, "Limit").getByRole("link").click();
  await expect(column(page, "Limit")).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("row").nth(1)).toContainText("Critical");
  await looked(page);
  await column(page, "Item").getByRole("link").click();
  await expect(column(page, "Item")).toHaveAttribute("aria-sort", "ascending");
  expect(await shown(page)).toHaveLength(50);
  await column(page, "Location").getByRole("link").click();
  await expect(column(page, "Location")).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("row").nth(1)).toContainText("config/part01.go:1");
  await pages.getByRole("link", { name: "Next" }).click();
  await expect(column(page, "Location")).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("row").nth(1)).toContainText("executor/part21.go:21");
  await column(page, "Location").getByRole("link").click();
  await expect(column(page, "Location")).toHaveAttribute("aria-sort", "descending");
  await expect(page.getByRole("row").nth(1)).toContainText("feed/util/part90.go:90");

  // Facets count what ticking them would leave.
  await expect(facet(page, "Severity", /^Critical/)).toHaveAccessibleName("Critical 30");
  await expect(facet(page, "Severity", /^Low/)).toHaveAccessibleName("Low 90");
  await expect(facet(page, "Scanner", /^gitleaks/)).toHaveAccessibleName("gitleaks 30");
  await facet(page, "Severity", /^High/).check();
  await facet(page, "Severity", /^Critical/).check();
  await show(page);
  await expect(page.getByText("50 of 90 findings")).toBeVisible();
  await expect(facet(page, "Severity", /^Medium/)).toHaveAccessibleName("Medium 120");
  await expect(facet(page, "Scanner", /^Example Scan/)).toHaveAccessibleName("Example Scan 60");
  await facet(page, "Scanner", /^Example Scan/).check();
  await show(page);
  await expect(page.getByText("50 of 60 findings")).toBeVisible();
  await expect(facet(page, "Severity", /^Critical/)).toHaveAccessibleName("Critical 0");
  await expect(column(page, "Location"), "the order stays").toHaveAttribute("aria-sort", "descending");
  await looked(page);
  await search(page, "part1");
  await expect(page.getByText("10 findings", { exact: true })).toBeVisible();
  await expect(page.getByRole("row").nth(1)).toContainText("executor/part19.go:19");
  await looked(page);
  const token = (words: string) => page.getByRole("search").or(page.locator("form.filterbar")).getByText(words);
  await token("Severity: Critical, High").getByRole("link", { name: "Remove this filter" }).click();
  await expect(page.getByText("10 findings", { exact: true })).toHaveCount(0);
  await expect(token("Scanner: Example Scan")).toBeVisible();
  await expect(token("Search: part1")).toBeVisible();
  await search(page, "no finding says this");
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await looked(page);
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page.getByText("50 of 300 findings")).toBeVisible();
  await search(page, "F-17");
  await expect(page.getByRole("checkbox", { name: "Select F-17", exact: true })).toBeVisible();
});

test("a filter is kept under a name, and its list goes out as a file", async ({ holdpoint, page }) => {
  test.setTimeout(120_000);
  await threeHundred(holdpoint, page);
  await facet(page, "Severity", /^Medium/).check();
  await facet(page, "Severity", /^Critical/).check();
  await show(page);
  await search(page, "part1");
  await expect(page.getByText("50 of 60 findings")).toHaveCount(0);

  // Kept: a name is needed, and no two are the same.
  const views = page.getByRole("navigation", { name: "Saved filters" });
  const keep = opener(page, "Save this filter");
  await keep.click();
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("  ");
  await page.getByRole("button", { name: "Save for me" }).click();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await looked(page);
  await name.fill("Part one");
  await page.getByRole("button", { name: "Save for me" }).click();
  await expect(notice(page)).toHaveText("The filter “Part one” is saved.");
  await expect(views.getByRole("link", { name: "Part one" })).toHaveAttribute("aria-current", "true");
  await looked(page);
  const cut = page.url();
  const n = Number((await page.getByText(/^\d+( of \d+)? findings$/).textContent())?.match(/(\d+) findings$/)?.[1]);

  // What goes out is exactly the list, on all its pages.
  const csv = await exported(page, "CSV");
  expect(csv.name).toBe("market-maker-v1.0.0-findings.csv");
  const [head, ...lines] = csv.text.trimEnd().split("\r\n");
  expect(head).toMatch(/^number,severity,status,category,title,tool,rule,path/);
  expect(lines).toHaveLength(n);
  for (const line of lines) {
    expect(line).toMatch(/^F-\d+,(critical|medium),open,.*\/part1\d*\.go,/);
  }
  const sarifFile = await exported(page, "SARIF");
  expect(sarifFile.name).toBe("market-maker-v1.0.0-findings.sarif");
  const listed = lines.map((line) => line.match(/[a-z/]+\/part\d+\.go/)?.[0] ?? "");
  expect(paths(sarifFile.text)).toEqual(listed.sort());
  const first = await shown(page);
  expect(lines.slice(0, first.length).map((line) => line.split(",")[0])).toEqual(first);

  // Used from another list, renamed, refused, deleted.
  await tab(page, "Scans");
  await tab(page, "Findings");
  await expect(page.getByText("50 of 300 findings")).toBeVisible();
  expect(paths((await exported(page, "SARIF")).text)).toHaveLength(300);
  await views.getByRole("link", { name: "Part one" }).click();
  await expect(page).toHaveURL(cut);
  expect(await shown(page)).toEqual(first);
  await views.getByRole("link", { name: /^All/ }).click();
  await keep.click();
  await name.fill("Everything");
  await page.getByRole("button", { name: "Save for me" }).click();
  await expect(notice(page)).toHaveText("The filter “Everything” is saved.");
  await keep.click();
  await page.getByRole("textbox", { name: "Name of “Everything”" }).fill("Part one");
  const own = page.getByRole("listitem").filter({ hasText: "Name of “Everything”" });
  await own.getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("textbox", { name: "Name of “Everything”" })).toHaveAccessibleDescription(
    /You have a filter named “Part one” already\./,
  );
  await expect(page.getByRole("textbox", { name: "Name of “Everything”" })).toHaveValue("Part one");
  await looked(page);
  await page.getByRole("textbox", { name: "Name of “Everything”" }).fill("The whole list");
  await own.getByRole("button", { name: "Rename" }).click();
  await expect(notice(page)).toHaveText("The filter is renamed.");
  await expect(views.getByRole("link", { name: "The whole list" })).toHaveAttribute("aria-current", "true");
  await keep.click();
  await page.getByRole("button", { name: "Delete “Part one”" }).click();
  await expect(notice(page)).toHaveText("The filter is deleted.");
  await expect(views.getByRole("link", { name: "Part one" })).toHaveCount(0);
  await expect(views.getByRole("link", { name: "The whole list" })).toBeVisible();
});
