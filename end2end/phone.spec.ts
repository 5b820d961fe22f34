import { expect, test } from "./fixtures";
import { sarif } from "./sarif";
import { Api, importScan, loadSample, opener, signIn, upload } from "./steps";

test.use({ viewport: { width: 390, height: 844 } });

test("no page is wider than a phone", async ({ holdpoint, page }) => {
  const sample = await loadSample(holdpoint);
  const { review } = sample;
  const api = await Api.of(holdpoint, sample.manager);
  const item = (await api.items(review)).find((one) => one.key === "2.5.1");
  const [finding] = await api.open(review, "critical");
  await page.goto("/sign-in");
  const narrow = async (path: string) => {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect.soft(width, path).toBe(390);
  };
  await narrow("/sign-in");
  await signIn(page, sample.manager);
  const parts = ["", "/checklist", "/findings", "/scans", "/patches", "/sign-off", "/activity", "/report", "/settings"];
  for (const part of [...parts, "/findings/new", "/patches/new"]) {
    await narrow(`/reviews/${review}${part}`);
  }
  for (const path of ["/", "/inbox", "/services", "/templates", "/templates/import", "/account", "/search?q=order"]) {
    await narrow(path);
  }
  await narrow(`/items/${item?.id}`);
  await narrow(`/items/${item?.id}/evidence/new`);
  await narrow(`/findings/${finding?.id}?review=${review}`);

  // Nor is one with words that have no place to break.
  const long = { rule: "long", message: "x".repeat(300), path: `${"a".repeat(200)}.go`, score: 5 };
  await page.goto(`/reviews/${review}`);
  await upload(page, sarif("Example Scan", [long]));
  await narrow(page.url());
  await importScan(page);
  await narrow(page.url());
  await narrow(`/reviews/${review}/findings?q=xxxx`);
  const path = await page.getByRole("link", { name: /^xxxx/ }).getAttribute("href");
  await narrow(path ?? "");
});

test("the order of findings is chosen where no head of a column is shown", async ({ holdpoint, page }) => {
  const { review, manager } = await loadSample(holdpoint);
  await signIn(page, manager, `/reviews/${review}/findings`);
  await opener(page, "Facets").click();
  await opener(page, "Order").click();
  await page.getByLabel("Findings are listed").selectOption("Mildest first");
  await page.getByRole("button", { name: "Show findings" }).click();
  const list = page.getByRole("table", { name: "Findings, mildest first" });
  await expect(list.getByRole("row").nth(1)).toContainText("Info");
  await opener(page, "Facets").click();
  await expect(page.getByLabel("Findings are listed")).toHaveValue("mildest");
});
