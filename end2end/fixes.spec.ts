import { type Page } from "@playwright/test";
import { expect, shots, test } from "./fixtures";
import { sarif } from "./sarif";
import { importScan, looked, notice, reviewOfTwo, signIn, tab, upload } from "./steps";

/** Replaces a word of a line; `shown` are the lines from the one before it on, as far as the report has them. */
function fix(words: string, path: string, shown?: string): object {
  const deletedRegion = { startLine: 12, startColumn: 2, endLine: 12, endColumn: 5 };
  const location = { artifactLocation: { uri: path }, region: { startLine: 12, startColumn: 2, endColumn: 10 } };
  const contextRegion = shown && { startLine: 11, endLine: 13, snippet: { text: shown } };
  const replacements = [{ deletedRegion, insertedContent: { text: "checked" } }];
  return {
    locations: [{ physicalLocation: { ...location, contextRegion } }],
    fixes: [{ description: { text: words }, artifactChanges: [{ artifactLocation: { uri: path }, replacements }] }],
  };
}

/** Two findings with a fix each; only of the first the report shows the lines that change. */
function scan(): ReturnType<typeof sarif> {
  const file = sarif("gocheck", [
    { rule: "G204", message: "The command is not checked", path: "src/exec.go", line: 12, score: 9.5 },
    { rule: "G205", message: "The query is not checked", path: "src/query.go", line: 12, score: 5 },
  ]);
  const log = JSON.parse(file.buffer.toString()) as { runs: { results: object[] }[] };
  const [one, other] = log.runs[0]!.results;
  Object.assign(one!, fix("Check the command", "src/exec.go", "{\n\trun(name)\n}\n"));
  Object.assign(other!, fix("Check the query", "src/query.go"));
  return { ...file, buffer: Buffer.from(JSON.stringify(log)) };
}

test("what a scanner proposes is taken over as a patch, once", async ({ holdpoint, page, anotherBrowser }) => {
  test.setTimeout(120_000);
  const { review, ben } = await reviewOfTwo(holdpoint, page);
  await upload(page, scan());
  await importScan(page);
  const open = async (of: Page, title: string) => {
    await of.goto(`/reviews/${review}/findings`);
    await of.getByRole("link", { name: title }).click();
    await expect(of.getByRole("heading", { level: 1 })).toContainText(title);
  };
  const proposed = (of: Page) => of.getByRole("region", { name: "What the scanner adds" });
  const propose = (of: Page) => proposed(of).getByRole("button", { name: "Propose as a patch" });

  // The change is shown as a diff, of whole lines.
  await open(page, "The command is not checked");
  const diff = proposed(page).getByRole("region", { name: "Diff of src/exec.go in fix 1" });
  await expect(diff).toContainText("run(name)");
  await expect(diff).toContainText("checked(name)");
  await expect(propose(page)).toBeVisible();
  await looked(page);
  await shots(page, "finding-with-fix");
  const other = await anotherBrowser();
  await signIn(other, ben, `/reviews/${review}/findings`);
  await open(other, "The command is not checked");
  await expect(propose(other)).toBeVisible();

  // One button makes a patch of it, of who pressed it.
  await propose(page).click();
  await expect(notice(page)).toHaveText("The fix is proposed as a patch.");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Check the command");
  const changes = page.getByRole("region", { name: "Changes" });
  await expect(changes).toContainText("src/exec.go");
  await expect(changes).toContainText("checked(name)");
  await expect(page.getByRole("main")).toContainText("touches F-1's lines");
  await looked(page);
  await shots(page, "patch-of-a-fix");
  await page.getByRole("link", { name: /^F-1 / }).first().click();
  await expect(proposed(page)).toContainText("P-1 makes this change.");
  await expect(propose(page)).toHaveCount(0);
  await looked(page);

  // Who still has the page of before learns of it, and no second patch is made.
  await propose(other).click();
  await expect(other.getByRole("alert")).toHaveText("P-1 makes this very change: Ana Example submitted it already.");
  await expect(proposed(other)).toContainText("P-1 makes this change.");
  await looked(other);
  await tab(other, "Patches");
  await expect(other.getByRole("link", { name: /Check the command/ })).toHaveCount(1);

  // Without the lines there is no patch, and the page says which one is missing.
  await open(other, "The query is not checked");
  await expect(proposed(other)).toContainText(/No patch can be made of it: .*line 12/);
  await expect(propose(other)).toHaveCount(0);
  await looked(other);
});
