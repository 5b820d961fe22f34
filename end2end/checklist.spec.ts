import { readFileSync } from "node:fs";
import { expect, test } from "./fixtures";
import { CHECKLIST, CHECKLIST_TITLE, looked, notice, signIn } from "./steps";

test("a checklist is imported after a preview, by file and by text", async ({ holdpoint, page }) => {
  await signIn(page, await holdpoint.person("Ana Example", { admin: true }));
  await page.getByRole("link", { name: "Import a checklist" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Import a checklist");
  await looked(page);

  const file = page.getByLabel("Markdown document");
  await file.setInputFiles({ name: "prose.md", mimeType: "text/markdown", buffer: Buffer.from("Only prose here.\n") });
  await page.getByRole("button", { name: "Preview the file" }).click();
  await expect(file).toHaveAttribute("aria-invalid", "true");
  await expect(file).toHaveAccessibleDescription(/item/);
  await looked(page);
  const text = page.getByLabel("Markdown text");
  await text.fill("Only prose, pasted.\n");
  await page.getByRole("button", { name: "Preview the text" }).click();
  await expect(text).toHaveAttribute("aria-invalid", "true");
  await expect(text).toHaveValue(/^Only prose, pasted\./);
  await expect(file).not.toHaveAttribute("aria-invalid", "true");

  await file.setInputFiles(CHECKLIST);
  await page.getByRole("button", { name: "Preview the file" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(CHECKLIST_TITLE);
  await expect(page.getByText("the document gives 13 items in 5 sections and 3 deliverables.")).toBeVisible();
  await expect(page.getByRole("heading", { name: "13 items" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "3 deliverables" })).toBeVisible();
  await looked(page);
  await page.getByRole("button", { name: "Import 13 items" }).click();
  await expect(notice(page)).toHaveText(`Version 1 of ${CHECKLIST_TITLE} is imported with 13 items.`);
  await looked(page);

  // The same text again, pasted this time, is the version that is there.
  await page.goto("/templates/import");
  await text.fill(readFileSync(CHECKLIST, "utf8"));
  await page.getByRole("button", { name: "Preview the text" }).click();
  await expect(page.getByText("no item is added, removed, reworded or moved")).toBeVisible();
  await looked(page);
  await page.getByRole("button", { name: "Import 13 items" }).click();
  await expect(notice(page)).toHaveText(
    `Nothing was stored: this document, read this way, is version 1 of ${CHECKLIST_TITLE} already.`,
  );
  await page.goto("/templates");
  await expect(page.getByRole("link", { name: CHECKLIST_TITLE })).toHaveCount(1);
  await looked(page);
});

test("a service and a review begin with the imported checklist", async ({ holdpoint, page }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  await signIn(page, ana);
  await holdpoint.person("Ben Example");
  await page.goto("/templates/import");
  await page.getByLabel("Markdown document").setInputFiles(CHECKLIST);
  await page.getByRole("button", { name: "Preview the file" }).click();
  await page.getByRole("button", { name: "Import 13 items" }).click();

  await page.goto("/");
  await page.getByRole("link", { name: "Create a service" }).click();
  await looked(page);
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("Payment Gateway");
  await page.getByLabel("Repository").fill("ftp://example.org/not-the-web");
  await page.getByRole("button", { name: "Create service" }).click();
  await expect(page.getByLabel("Repository")).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveValue("Payment Gateway");
  await page.getByLabel("Repository").fill("https://example.org/payments");
  await page.getByRole("button", { name: "Create service" }).click();
  await expect(notice(page)).toContainText("Payment Gateway is made, and you are its manager.");
  await looked(page);

  await page.getByRole("link", { name: "People" }).click();
  const invite = page.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("Email").fill("ben.example@example.org");
  await invite.getByLabel("Role here").selectOption("Reviewer");
  await invite.getByLabel("Your password").fill(ana.password);
  await invite.getByRole("button", { name: "Make invitation" }).click();
  await expect(notice(page)).toHaveText("Ben Example has an account here and has the role now.");
  await looked(page);

  await page.goto("/services/payment-gateway");
  await page.getByRole("link", { name: "Begin a review" }).click();
  await looked(page);
  await page.getByLabel("Title").fill("Production readiness review");
  await page.getByLabel("Release", { exact: true }).fill("v2.0.0");
  await page.getByLabel("Hold point").fill("2031-03-01");
  await page.getByLabel("Target commit").fill("not a commit");
  await page.getByRole("button", { name: "Begin the review" }).click();
  await expect(page.getByLabel("Target commit")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Hold point")).toHaveValue("2031-03-01");
  await looked(page);
  await page.getByLabel("Target commit").fill("82dd1d2");
  await page.getByRole("button", { name: "Begin the review" }).click();
  await expect(notice(page)).toContainText("The review has begun with 13 items.");
  await expect(page.getByRole("checkbox", { name: /^Select \d/ })).toHaveCount(13);
  await expect(page.getByText("0 of 13 cleared")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Deliverables" })).toBeVisible();
  await looked(page);

  await page.goto("/");
  await expect(page.getByRole("link", { name: /Payment Gateway/ }).first()).toBeVisible();
  await looked(page);
});
