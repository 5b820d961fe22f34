import { expect, test } from "./fixtures";
import { looked, notice } from "./steps";

// A link that is used up answers 410, which Chromium notes on the console.
test.use({ expectedErrors: [/status of 410/] });

test("the one-time link makes the first administrator, once", async ({ holdpoint, page, anotherBrowser }) => {
  const link = await holdpoint.setUpLink();
  await page.goto(link);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Set up this server");
  await looked(page);

  await page.getByLabel("Full name").fill("Ana Example");
  await page.getByLabel("Email").fill("ana@example.org");
  await page.getByLabel("Password").fill("passwordpassword");
  await page.getByRole("button", { name: "Finish set-up" }).click();
  await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Full name")).toHaveValue("Ana Example");
  await expect(page.getByLabel("Email")).toHaveValue("ana@example.org");
  await looked(page);

  await page.getByLabel("Password").fill("granite lantern over water");
  await page.getByRole("button", { name: "Finish set-up" }).click();
  await expect(notice(page)).toHaveText("Holdpoint is set up, and you are its administrator.");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Reviews");
  await expect(page.getByRole("heading", { name: "No review yet" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Load the sample review" })).toBeEnabled();
  await expect(page.getByRole("link", { name: "Import a checklist" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Create a service" })).toBeVisible();
  await looked(page);

  const other = await anotherBrowser();
  await other.goto(link);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("This set-up link does not work");
  await expect(other.getByLabel("Password")).toHaveCount(0);
  await looked(other);
  await other.getByRole("link", { name: "Sign in" }).click();
  await expect(other.getByRole("button", { name: "Sign in" })).toBeVisible();
});
