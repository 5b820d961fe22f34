import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "./fixtures";
import { Api, figures, looked, notice, opener, pick, scanFile, signIn, tab, upload } from "./steps";

test("scans are previewed, imported and compared, and the same file changes nothing", async ({ holdpoint, page }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: "82dd1d2" });
  await signIn(page, ana, `/reviews/${review}/findings`);
  await expect(page.getByRole("heading", { name: "No finding yet" })).toBeVisible();
  await looked(page);

  await tab(page, "Scans");
  await looked(page);
  const field = page.getByLabel(/choose files/);
  await field.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no scan at all") });
  await page.getByRole("button", { name: "Upload and preview" }).click();
  await expect(field).toHaveAccessibleDescription(/notes\.txt: No known scanner format was recognised/);
  await looked(page);

  await upload(page, scanFile("semgrep", "8b57779"), "8b57779");
  await expect(page.getByText("Preview, nothing is saved yet")).toBeVisible();
  await figures(page, { New: 60, Unchanged: 0, Fixed: 0 });
  await looked(page);
  await page.getByRole("button", { name: "Import 60 results" }).click();
  await expect(notice(page)).toContainText("60 new, 0 unchanged, 0 moved, 0 reopened, 0 fixed.");
  await looked(page);

  // The next commit, previewed and then imported: what was shown is what happens.
  await upload(page, scanFile("semgrep", "82dd1d2"), "82dd1d2");
  await figures(page, { New: 61, Unchanged: 42, Moved: 0, Fixed: 18 });
  await looked(page);
  await page.getByRole("button", { name: "Import 103 results" }).click();
  await expect(notice(page)).toContainText("61 new, 42 unchanged, 0 moved, 0 reopened, 18 fixed.");

  await upload(page, scanFile("semgrep", "82dd1d2"), "82dd1d2");
  await expect(page.getByText("Imported before: nothing would change")).toBeVisible();
  await expect(page.getByRole("button", { name: "Import", exact: true })).toBeDisabled();
  await looked(page);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(notice(page)).toHaveText("The preview is thrown away. Nothing was imported.");
  await expect(page.getByRole("link", { name: /Semgrep OSS #\d/ })).toHaveCount(2);
  await looked(page);

  await page.getByRole("link", { name: "Semgrep OSS #1" }).click();
  await looked(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /file/i }).first().click(),
  ]);
  expect(readFileSync(await download.path())).toEqual(readFileSync(scanFile("semgrep", "8b57779")));
  await expect(page.getByRole("region", { name: "Undo" })).toContainText("Undo that one first");
});

test("an import is undone while nobody has acted on its findings, and comes back packed", async ({ holdpoint, page }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: "82dd1d2" });
  await signIn(page, ana, `/reviews/${review}`);
  await upload(page, scanFile("hadolint", "82dd1d2"), "82dd1d2");
  await page.getByRole("button", { name: "Import 6 results" }).click();
  const undo = page.getByRole("region", { name: "Undo" });
  await opener(undo, "Undo this import").click();
  await looked(page);
  await undo.getByRole("button", { name: "Undo the import" }).click();
  await expect(notice(page)).toHaveText("The import of Hadolint is undone: 6 findings removed, 0 findings put back.");
  await expect(undo).toContainText("This import was undone already.");
  await looked(page);
  await tab(page, "Findings");
  await expect(page.getByRole("heading", { name: "No finding yet" })).toBeVisible();

  await tab(page, "Scans");
  await page.getByLabel(/choose files/).setInputFiles({
    name: "hadolint.sarif.gz",
    mimeType: "application/gzip",
    buffer: gzipSync(readFileSync(scanFile("hadolint", "82dd1d2"))),
  });
  await page.getByRole("button", { name: "Upload and preview" }).click();
  await figures(page, { New: 6 });
  await page.getByRole("button", { name: "Import 6 results" }).click();
  await tab(page, "Findings");
  await page.getByRole("row").filter({ hasText: "DL3008" }).first().getByRole("link").first().click();
  const triage = page.getByRole("form", { name: "Triage" });
  await pick(triage, "False positive");
  await triage.getByLabel("Reason").fill("The base image is pinned by digest.");
  await triage.getByRole("button", { name: "Decide" }).click();
  await tab(page, "Scans");
  await page.getByRole("link", { name: "Hadolint #2" }).click();
  await expect(page.getByRole("region", { name: "Undo" })).toContainText("People have acted on findings of this import since: Ana Example");
  await looked(page);
});

test("a finding is triaged with a reason, and one is written by hand", async ({ holdpoint, page }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: "82dd1d2" });
  await signIn(page, ana, `/reviews/${review}`);
  await upload(page, scanFile("hadolint", "82dd1d2"), "82dd1d2");
  await page.getByRole("button", { name: "Import 6 results" }).click();

  await tab(page, "Findings");
  await expect(page.getByRole("checkbox", { name: /^Select F-/ })).toHaveCount(6);
  await looked(page);
  const name = page.getByRole("row").filter({ hasText: "DL3008" }).first().getByRole("link").first();
  await name.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^F-\d/);
  await looked(page);
  const triage = page.getByRole("form", { name: "Triage" });
  await pick(triage, "False positive");
  await triage.getByRole("button", { name: "Decide" }).click();
  await expect(triage.getByLabel("Reason")).toHaveAttribute("aria-invalid", "true");
  await expect(triage.getByRole("radio", { name: "False positive" })).toBeChecked();
  await looked(page);
  await triage.getByLabel("Reason").fill("The base image is pinned by digest.");
  await triage.getByRole("button", { name: "Decide" }).click();
  await expect(notice(page)).toHaveText("The finding is a false positive. Scans will not reopen it.");
  await expect(page.getByText("Now: false positive.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Decided" })).toContainText("The base image is pinned by digest.");
  await looked(page);

  await tab(page, "Findings");
  await expect(page.getByRole("checkbox", { name: /^Select F-/ })).toHaveCount(5);
  await page.getByRole("link", { name: "Write a finding" }).click();
  await looked(page);
  await page.getByLabel("Title").fill("Retry jitter is fixed at 0.5");
  await page.getByLabel("Severity").selectOption("Critical");
  await page.getByLabel(/^Item/).selectOption({ label: "2.5.1 Critical Path Review" });
  await page.getByLabel("Why it matters").fill("All instances retry at once.\n\n<script>alert(1)</script>");
  await page.getByLabel("First line").fill("many");
  await page.getByRole("button", { name: "Write the finding" }).click();
  await expect(page.getByLabel("First line")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Title")).toHaveValue("Retry jitter is fixed at 0.5");
  await looked(page);
  await page.getByLabel("First line").fill("391");
  await page.getByRole("textbox", { name: /^File/ }).fill("internal/executor.go");
  await page.getByRole("button", { name: "Write the finding" }).click();
  await expect(notice(page)).toHaveText("The finding is written.");
  await expect(page.getByText("Blocks 2.5.1 Critical Path Review")).toBeVisible();
  await looked(page);

  // Ticked in the list, decided about together.
  await tab(page, "Findings");
  await page.getByRole("checkbox", { name: "Select F-1", exact: true }).check();
  await page.getByRole("checkbox", { name: "Select F-2", exact: true }).check();
  await page.getByLabel("Outcome").selectOption("False positive");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decide about findings");
  await looked(page);
  await page.getByLabel("Reason").fill("Built in CI only.");
  await page.getByRole("button", { name: "Apply to what is ticked" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Findings");
  await expect(page.getByRole("checkbox", { name: /^Select F-/ })).toHaveCount(4);
});
