import { expect, test } from "./fixtures";
import { loadSample, looked, signIn } from "./steps";

test("a list is gone through, ticked and decided about by the keyboard", async ({ holdpoint, page }) => {
  const { review, manager } = await loadSample(holdpoint);
  await signIn(page, manager, `/reviews/${review}/findings`);
  await expect(page.locator("[data-shortcuts=ready]")).toBeAttached();
  const rows = page.getByRole("table", { name: /^Findings,/ }).getByRole("row");
  const title = (nth: number) => rows.nth(nth).getByRole("link").first();
  const tick = (nth: number) => rows.nth(nth).getByRole("checkbox");
  const key = (name: string) => page.keyboard.press(name);

  await key("k");
  await expect(title(1)).toBeFocused();
  await key("j");
  await expect(title(2)).toBeFocused();
  await key("x");
  await expect(tick(2)).toBeChecked();
  await key("j");
  await key("j");
  await key("Shift+X");
  for (const nth of [2, 3, 4]) {
    await expect(tick(nth)).toBeChecked();
  }
  await expect(tick(1)).not.toBeChecked();
  await key("x");
  await expect(tick(4)).not.toBeChecked();
  // What was clicked goes on by the keyboard.
  await tick(6).check();
  await key("j");
  await expect(title(7)).toBeFocused();

  // Letters are letters in a field.
  await key("f");
  const search = page.getByLabel("Search in findings");
  await expect(search).toBeFocused();
  await page.keyboard.type("jxt");
  await expect(search).toHaveValue("jxt");
  await search.fill("");
  await search.blur();
  await key("t");
  await expect(page.getByLabel("Outcome")).toBeFocused();
  await page.getByLabel("Outcome").blur();
  const first = (await title(1).textContent()) ?? "";
  await key("]");
  await expect(page).toHaveURL(/from=/);
  await expect(title(1)).not.toHaveText(first);
  await expect(page.locator("[data-shortcuts=ready]")).toBeAttached();
  await key("[");
  await expect(title(1)).toHaveText(first);
  await expect(page.locator("[data-shortcuts=ready]")).toBeAttached();

  await key("j");
  await key("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(first);
  await expect(page.locator("[data-shortcuts=ready]")).toBeAttached();
  await key("t");
  const triage = page.getByRole("form", { name: "Triage" });
  await expect(triage.getByRole("radio", { name: "False positive" })).toBeFocused();
  await key("Space");
  await expect(triage.getByRole("radio", { name: "False positive" })).toBeChecked();
  await triage.getByRole("radio", { name: "False positive" }).blur();
  await key("m");
  await expect(page.getByLabel("Map to item")).toBeFocused();

  await page.goto(`/reviews/${review}/findings`);
  await expect(page.locator("[data-shortcuts=ready]")).toBeAttached();
  await key("?");
  const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(keys).toContainText("Tick up to the row");
  await looked(page);
  await key("Escape");
  await expect(keys).toBeHidden();
});
