import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Page } from "@playwright/test";
import { axe, expect, shots, test } from "./fixtures";
import { many, sarif } from "./sarif";
import { Api, COMMIT, figures, importScan, looked, notice, opener, pick, reviewOfTwo, signIn, tab, upload } from "./steps";

const RACES = many(3, { rule: "race", message: "A map is shared without a lock", folder: "executor", score: 8 });
const ERRORS = many(2, { rule: "error", message: "An error is dropped", folder: "feed", score: 5 });

test("what a preview shows is what an import does, and undo takes all of it back", async ({
  holdpoint,
  page,
  anotherBrowser,
}) => {
  test.setTimeout(150_000);
  const { review, ben } = await reviewOfTwo(holdpoint, page);

  // Several files at once: one is left out by its tick, one cannot be read.
  await tab(page, "Scans");
  const broken = { ...sarif("Broken", []), buffer: Buffer.from('{"version": "2.1.0", "runs": [{') };
  await page.getByLabel(/choose files/).setInputFiles([
    sarif("Example Scan", [...RACES, ...ERRORS]),
    sarif("gitleaks", many(1, { rule: "key", message: "An API key", folder: "config", score: 9.5 })),
    broken,
  ]);
  await page.getByRole("button", { name: "Upload and preview" }).click();
  const files = page.getByRole("table", { name: "Files of this import" }).getByRole("row");
  await expect(files.filter({ hasText: "broken-1.0.0.sarif" })).toContainText("Refused, left out");
  await expect(files.filter({ hasText: "broken-1.0.0.sarif" })).toContainText(/line 1/);
  await expect(files.filter({ hasText: "gitleaks-1.0.0.sarif" })).toContainText("SARIF 2.1.0");
  await expect(page.getByRole("button", { name: "Import 6 results" })).toBeVisible();
  const change = page.getByRole("region", { name: "What Example Scan would change" });
  await expect(change).toContainText("3 high, 2 medium");
  await expect(change.getByRole("table").getByRole("row")).toHaveCount(6);
  await looked(page);
  await tab(page, "Findings");
  await expect(page.getByRole("heading", { name: "No finding yet" })).toBeVisible();
  await page.goBack();
  await page.getByRole("checkbox", { name: "Import gitleaks-1.0.0.sarif" }).uncheck();
  await page.getByRole("button", { name: /^Import \d results/ }).click();
  await expect(notice(page)).toContainText(
    "Imported example-scan-1.0.0.sarif: 5 new, 0 unchanged, 0 moved, 0 reopened, 0 fixed.",
  );
  await expect(files.filter({ hasText: "gitleaks" })).toHaveCount(1);
  await expect(files.filter({ hasText: "example-scan" })).toHaveCount(0);
  await looked(page);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(notice(page)).toHaveText("The preview is thrown away. Nothing was imported.");

  // The next scan fixes two and finds one; its undo puts all three back.
  const another = { ...ERRORS[0]!, path: "feed/other.go", message: "Another error" };
  await upload(page, sarif("Example Scan", [...RACES, another], "1.1.0"));
  await figures(page, { New: 1, Unchanged: 3, Fixed: 2 });
  await importScan(page);
  await figures(page, { New: 1, Unchanged: 3, Fixed: 2 });
  await looked(page);
  await tab(page, "Findings");
  await expect(page.getByText("4 open of 6")).toBeVisible();
  await tab(page, "Scans");
  await page.getByRole("link", { name: "Example Scan #1" }).click();
  const undo = page.getByRole("region", { name: "Undo" });
  await expect(undo).toContainText("Scan 2 of Example Scan was compared with this one since. Undo that one first.");
  await expect(undo.getByRole("button")).toHaveCount(0);
  await tab(page, "Scans");
  await page.getByRole("link", { name: "Example Scan #2" }).click();
  await opener(undo, "Undo this import").click();
  await expect(undo).toContainText("The finding that this scan found first is removed, and every other");
  await looked(page);
  await undo.getByRole("button", { name: "Undo the import" }).click();
  await expect(notice(page)).toHaveText(
    "The import of Example Scan is undone: 1 finding removed, 2 findings put back.",
  );
  await expect(undo).toContainText("This import was undone already.");
  await looked(page);
  await tab(page, "Findings");
  await expect(page.getByText("5 open of 5")).toBeVisible();

  // Once a person has decided about a finding, the import stays, and the page says who did what.
  await tab(page, "Scans");
  await expect(page.getByRole("row").filter({ hasText: "Example Scan #2" })).toContainText("Undone");
  await looked(page);
  await page.getByRole("link", { name: "Example Scan #1" }).click();
  await opener(undo, "Undo this import").click();
  const other = await anotherBrowser();
  await signIn(other, ben, `/reviews/${review}/findings`);
  await other.getByRole("link", { name: "An error is dropped 1" }).click();
  const triage = other.getByRole("form", { name: "Triage" });
  await pick(triage, "False positive");
  await triage.getByLabel("Reason").fill("It is logged by the caller.");
  await triage.getByRole("button", { name: "Decide" }).click();
  await expect(notice(other)).toContainText("The finding is a false positive.");
  await undo.getByRole("button", { name: "Undo the import" }).click();
  const why = /People have acted on findings of this import since: Ben Example .*F-\d.*\. Undo would lose that\./;
  await expect(page.getByRole("alert")).toContainText(why);
  await expect(undo).toContainText(why);
  await expect(undo.getByRole("button")).toHaveCount(0);
  await looked(page);
  await tab(page, "Findings");
  await expect(page.getByText("4 open of 5")).toBeVisible();
});

/** Waits for the end of an import on the page that shows it, which then leads on; without scripts, by looking again. */
async function overNow(page: Page, javaScriptEnabled?: boolean): Promise<void> {
  await expect(async () => {
    const again = page.getByRole("link", { name: "Look again" });
    if (javaScriptEnabled === false && (await again.isVisible())) {
      await again.click({ timeout: 60_000 });
    }
    await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Importing", { timeout: 500 });
  }).toPass({ timeout: 120_000 });
}

/** How long an import is to take, in milliseconds, so that it still runs when pages show it. */
const LONG = 12_000;

/** A scanner's file that takes long to import. How many results that takes, machines differ: shorter ones tell. */
async function longScan(api: Api, folder: string): Promise<{ tool: string; n: string; file: string }> {
  // What holds no release back leaves the other pages quick.
  const of = { rule: "race", message: "A map is shared", folder: "executor", score: 2 };
  let n = 10_000;
  let took = 0;
  // A moment in which the machine does something else says little.
  while (took < LONG / 8 && n < 300_000) {
    n *= 3;
    const begun = Date.now();
    await api.push("market-maker", sarif(`Short Scan of ${n}`, many(n, of)));
    took = Date.now() - begun;
  }
  n = Math.min(Math.round((n * LONG) / took), 1_000_000);
  const { name, buffer } = sarif("Example Scan", many(n, of));
  const file = resolve(folder, name);
  writeFileSync(file, buffer);
  return { tool: "Example Scan", n: n.toLocaleString("en-GB"), file };
}

test("an import that takes long shows how far it is, and can be stopped", async ({
  holdpoint,
  page,
  javaScriptEnabled,
}) => {
  test.setTimeout(240_000);
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const api = await Api.of(holdpoint, ana);
  const review = await api.begin("Market Maker", "market-maker", { commit: COMMIT });
  const { tool, n, file } = await longScan(api, holdpoint.data);
  await signIn(page, ana, `/reviews/${review}`);
  await upload(page, file);
  const preview = page.url();
  const title = page.getByRole("heading", { level: 1 });
  await page.getByRole("button", { name: `Import ${n} results` }).click({ timeout: 60_000 });
  await expect(title).toHaveText("Importing");
  // It may lead to the preview at once, which takes its time for a large file.
  await page.getByRole("button", { name: "Cancel the import" }).click({ timeout: 60_000 });
  await overNow(page, javaScriptEnabled);
  await expect(title).toHaveText("Import scans");
  await expect(page.getByRole("alert")).toHaveText("The import was cancelled. Nothing of it was stored.");
  await looked(page);
  await tab(page, "Scans");
  await expect(page.getByRole("link", { name: `${tool} #1` })).toHaveCount(0);

  // Nothing of it was stored, and the preview is still there to begin again.
  await page.goto(preview);
  await page.getByRole("button", { name: `Import ${n} results` }).click({ timeout: 60_000 });
  await expect(title).toHaveText("Importing");
  const files = page.getByRole("region", { name: "Files" });
  await expect(files.getByRole("progressbar")).toBeVisible();
  await expect(files).toContainText(/ findings/);
  const again = files.getByRole("link", { name: "Look again" });
  if (javaScriptEnabled !== false) {
    // The bar moves by itself: the page is not loaded again, what has the focus keeps it, and only stages are read out.
    await page.evaluate(() => Object.assign(window, { isTheSame: true }));
    const cancel = page.getByRole("button", { name: "Cancel the import" });
    await cancel.focus();
    await expect(again).toBeHidden();
    const said = files.getByRole("status");
    await expect(said).toHaveText(new RegExp(`^(Reading|Comparing|Storing) ${tool.toLowerCase().replaceAll(" ", "-")}-1`));
    const before = await files.textContent();
    await expect(files).not.toHaveText(before ?? "");
    await expect(cancel).toBeFocused();
    expect(await page.evaluate(() => "isTheSame" in window)).toBe(true);
    await shots(page, "importing");
    await axe(page);
  } else {
    await expect(again).toBeVisible();
    await axe(page);
    const address = page.url();
    await again.click();
    await expect(page).toHaveURL(address);
  }
  await overNow(page, javaScriptEnabled);
  await expect(title).toHaveText(`${tool} #1`);
  await expect(notice(page)).toHaveText(
    `Imported ${tool.toLowerCase().replaceAll(" ", "-")}-1.0.0.sarif: ${n} new, 0 unchanged, 0 moved, 0 reopened, 0 fixed.`,
  );
  await looked(page);
  await expect(page.getByText(`200 of ${n} changes are listed.`)).toBeVisible();

  // What is imported does not wait to be.
  expect((await page.request.get(preview)).status()).toBe(404);
});
