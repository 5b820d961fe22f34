import { readFileSync } from "node:fs";
import { expect, test } from "./fixtures";
import { evidence, loadSample, looked, notice, opener, pick, signIn, tab } from "./steps";

// The answer that shows both versions is a 409, which Chromium notes on the console.
test.use({ expectedErrors: [/status of 409/] });

test("two people take an item to passed, and a change makes the signature void", async ({
  holdpoint,
  page,
  anotherBrowser,
}) => {
  test.setTimeout(120_000);
  const sample = await loadSample(holdpoint);
  await signIn(page, sample.owner, `/reviews/${sample.review}`);
  await tab(page, "Checklist");
  await looked(page);
  await page.getByRole("link", { name: "Rollback Plan" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/2\.3\.3 Rollback Plan/);
  const item = page.url();
  const state = page.getByRole("region", { name: "Workflow" });
  await expect(state.getByText("Not started")).toBeVisible();
  await page.getByRole("button", { name: "Start work" }).click();
  await expect(notice(page)).toHaveText("2.3.3 is now in progress.");
  await expect(page.getByRole("button", { name: "Request review" })).toBeDisabled();
  await expect(page.getByText("Request review is possible once there is evidence.")).toBeVisible();
  await looked(page);

  // A note, and a file.
  await page.getByRole("link", { name: "Add evidence" }).click();
  await looked(page);
  await pick(page, "Note");
  await page.getByRole("textbox", { name: "Note" }).fill("Migrations are *additive*: the version before runs on them.");
  await page.getByRole("button", { name: "Add evidence" }).click();
  await expect(notice(page)).toHaveText("The evidence is added.");
  await expect(evidence(page, "Migrations are additive").getByRole("emphasis")).toHaveText("additive");
  await page.getByRole("link", { name: "Add evidence" }).click();
  await pick(page, "File");
  const log = { name: "rollback drill.log", mimeType: "text/plain", buffer: Buffer.from("rolled back in 41 s\n") };
  await page.getByLabel("File", { exact: true }).and(page.locator("[type=file]")).setInputFiles(log);
  await page.getByRole("button", { name: "Add evidence" }).click();
  await expect(evidence(page, "rollback drill.log")).toContainText("20 bytes");
  await opener(page, "Actions for rollback drill.log").click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("rollback drill.log");
  expect(readFileSync(await download.path(), "utf8")).toBe("rolled back in 41 s\n");

  await page.getByRole("textbox", { name: "Add a comment" }).fill("The drill ran on **staging**.");
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  const comment = page.getByRole("article").filter({ hasText: "The drill ran on" });
  await expect(comment.getByRole("strong")).toHaveText("staging");
  await page.getByRole("button", { name: "Request review" }).click();
  await expect(notice(page)).toHaveText("2.3.3 is now in review.");
  await expect(page.getByRole("button", { name: "Sign 2.3.3" })).toBeDisabled();
  await expect(page.getByRole("button", { name: "Sign 2.3.3" })).toHaveAccessibleDescription(
    "Only a reviewer or manager of this service can sign an item.",
  );
  await looked(page);

  const other = await anotherBrowser();
  await signIn(other, sample.reviewer, "/inbox");
  await looked(other);
  await other.getByRole("link", { name: "2.3.3 Rollback Plan" }).click();
  const sign = other.getByRole("form", { name: "Decide and sign" });
  await pick(sign, "Pass");
  await sign.getByLabel("Statement").fill("I repeated the drill.");
  await sign.getByLabel("Your password").fill("not Mira's password");
  await sign.getByRole("button", { name: "Sign 2.3.3" }).click();
  await expect(sign.getByLabel("Your password")).toHaveAccessibleDescription(/This is not your password\./);
  await expect(sign.getByLabel("Your password")).toHaveValue("");
  await expect(sign.getByLabel("Statement")).toHaveValue("I repeated the drill.");
  await expect(sign.getByRole("radio", { name: "Pass" })).toBeChecked();
  await looked(other);
  await sign.getByLabel("Your password").fill(sample.reviewer.password);
  await sign.getByRole("button", { name: "Sign 2.3.3" }).click();
  await expect(notice(other)).toHaveText("Signed: Pass. The signature and its digest are on record.");
  await expect(other.getByRole("region", { name: "Workflow" })).toContainText(/Passed by Mira Okafor/);
  const signatures = other.getByRole("region", { name: "Sign-offs" }).getByRole("listitem");
  await expect(signatures.first()).toContainText("Valid");
  await looked(other);

  // The file is withdrawn: the signature rested on it.
  await page.goto(item);
  const file = evidence(page, "rollback drill.log").first();
  await opener(file, "Withdraw").click();
  await file.getByLabel("Why it does not count").fill("It is of another release.");
  await file.getByRole("button", { name: "Withdraw evidence" }).click();
  await expect(notice(page)).toHaveText("The evidence is withdrawn. It stays on record.");
  await other.reload();
  await expect(signatures.first()).toContainText("Void, 1 change since");
  await expect(signatures.first()).toContainText("What changed since");
  await expect(signatures.first()).toContainText("rollback drill.log");
  await expect(signatures.first()).toContainText("not there any more");
  await looked(other);
  await tab(other, "Readiness");
  await expect(other.getByRole("link", { name: /sign-offs? (is|are) void/ })).toBeVisible();
  await looked(other);
});

test("whoever saves over somebody else's change is shown both versions", async ({ holdpoint, page, anotherBrowser }) => {
  const sample = await loadSample(holdpoint);
  await signIn(page, sample.manager, `/reviews/${sample.review}/checklist`);
  await page.getByRole("link", { name: "Disaster Recovery" }).click();
  const change = page.getByRole("link", { name: "Change", exact: true });
  await change.click();
  await looked(page);
  const other = await anotherBrowser();
  await signIn(other, sample.admin, new URL(page.url()).pathname);

  await other.getByLabel("Title").fill("Disaster Recovery, drilled");
  await other.getByRole("button", { name: "Save words" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText(/Disaster Recovery, drilled/);

  const answer = page.waitForResponse((response) => response.status() === 409);
  await page.getByLabel("Title").fill("Disaster Recovery on paper");
  await page.getByRole("button", { name: "Save words" }).click();
  await answer;
  const versions = page.getByRole("table", { name: /what is saved now/ });
  const title = versions.getByRole("row", { name: /^Title/ });
  await expect(title).toContainText("Disaster Recovery on paper");
  await expect(title).toContainText("Disaster Recovery, drilled");
  await expect(page.getByLabel("Title")).toHaveValue("Disaster Recovery on paper");
  await looked(page);
});
