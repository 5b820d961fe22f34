import { axe, expect, shots, test } from "./fixtures";

test("a fresh server is healthy and its set-up link opens a page that everyone can use", async ({ holdpoint, page }) => {
  const health = await page.request.get("/healthz");
  expect(health.status()).toBe(200);

  await page.goto(await holdpoint.setUpLink());
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await axe(page);
  await shots(page, "set-up");
});

test("whoever is not signed in is asked to", async ({ holdpoint, page }) => {
  await holdpoint.person("Ana Example", { admin: true });
  await page.goto("/");
  await expect(page.getByLabel("Email")).toBeVisible();
  await expect(page.getByLabel("Password")).toBeVisible();
  await axe(page);
  await shots(page, "sign-in");
});
