import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Page } from "@playwright/test";
import { expect, shots, test } from "./fixtures";
import { Api, CHECKLIST, loadSample, scanFile, signIn } from "./steps";

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "..");

// Pictures for people to look at; the configuration leaves this file out unless `make shots` asks for it.
test("pictures of every page, on the sample review", async ({ holdpoint, page, anotherBrowser }) => {
  test.setTimeout(300_000);
  const sample = await loadSample(holdpoint);
  const { review } = sample;
  const picture = async (of: Page, name: string, path: string) => {
    await of.goto(path);
    await expect(of.getByRole("heading", { level: 1 })).toBeVisible();
    await shots(of, name);
  };
  await picture(page, "sign-in", "/sign-in");

  await signIn(page, sample.manager, `/reviews/${review}`);
  await shots(page, "readiness");
  mkdirSync(resolve(TOP, "docs/images"), { recursive: true });
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: resolve(TOP, "target/shots/readiness.png") });
  if (process.env.SHOTS === "docs") {
    copyFileSync(resolve(TOP, "target/shots/readiness.png"), resolve(TOP, "docs/images/readiness.png"));
  }
  await page.emulateMedia({ colorScheme: null });

  const pages = ["checklist", "findings", "scans", "patches", "sign-off", "activity", "settings", "items/new", "patches/new"];
  for (const name of [...pages, "findings/new", "findings/decisions", "mapping", "mapping/apply"]) {
    await picture(page, name.replace("/", "-"), `/reviews/${review}/${name}`);
  }
  await picture(page, "portfolio", "/");
  await picture(page, "inbox", "/inbox");
  await picture(page, "services", "/services");
  await picture(page, "service", "/services/opensqt-market-maker");
  await picture(page, "service-people", "/services/opensqt-market-maker/people");
  await picture(page, "service-settings", "/services/opensqt-market-maker/settings");
  await picture(page, "new-review", "/services/opensqt-market-maker/new-review");
  await picture(page, "templates", "/templates");
  await picture(page, "template-import", "/templates/import");
  await picture(page, "account", "/account");
  await picture(page, "report", `/reviews/${review}/report`);

  const api = await Api.of(holdpoint, sample.reviewer);
  for (const item of await api.items(review)) {
    if (["2.2.1", "2.4.2", "2.5.1"].includes(item.key)) {
      await picture(page, `item-${item.key}`, `/items/${item.id}`);
    }
  }
  const [finding] = await api.open(review, "critical");
  await picture(page, "finding", `/findings/${finding?.id}?review=${review}`);
  await page.goto(`/reviews/${review}/patches`);
  await page.getByRole("link", { name: /P-1|jitter/i }).first().click();
  await shots(page, "patch");
  await page.goto("/templates/import");
  await page.getByLabel("Markdown document").setInputFiles(CHECKLIST);
  await page.getByRole("button", { name: "Preview the file" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await shots(page, "template-preview");
  await page.goto(`/reviews/${review}/scans`);
  await page.getByRole("link", { name: /#2$/ }).first().click();
  await shots(page, "scan");
  await page.goto(`/reviews/${review}/scans`);
  await page.getByLabel(/choose files/).setInputFiles(scanFile("hadolint", "8b57779"));
  await page.getByRole("button", { name: "Upload and preview" }).click();
  await shots(page, "scan-preview");

  const other = await anotherBrowser();
  await signIn(other, sample.reviewer, "/inbox");
  await shots(other, "inbox-of-the-reviewer");
  await other.getByRole("link", { name: "2.4.2 Network Exposure" }).click();
  await shots(other, "item-to-decide");
  const admin = await anotherBrowser();
  await signIn(admin, sample.admin, "/people");
  await shots(admin, "people");
  const stranger = await anotherBrowser();
  await signIn(stranger, await holdpoint.person("Root Example", { admin: true }), "/");
  await picture(stranger, "finding-without-a-role", `/findings/${finding?.id}?review=${review}`);
});
