import { expect, test } from "./fixtures";
import { looked, notice, opener, signIn, signOut } from "./steps";

test("signing in leads to the page that was asked for, and out of it again", async ({ holdpoint, page, anotherBrowser }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  await page.goto("/account");
  await expect(page).toHaveURL(/\/sign-in\?next=%2Faccount$/);
  await looked(page);

  await page.getByLabel("Email").fill(ana.email);
  await page.getByLabel("Password").fill("not her password at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("Address or password is wrong.");
  await expect(page.getByLabel("Password")).toHaveAccessibleDescription(/Address or password is wrong\./);
  await expect(page.getByLabel("Password")).toHaveValue("");
  await expect(page.getByLabel("Email")).toHaveValue(ana.email);
  await looked(page);

  await page.getByLabel("Password").fill(ana.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ana Example");
  const sessions = page.getByRole("table", { name: "Your sessions" }).getByRole("row");
  await expect(sessions.filter({ hasText: "This session" })).toHaveCount(1);
  await looked(page);

  const other = await anotherBrowser();
  await signIn(other, ana);
  await page.reload();
  await expect(sessions).toHaveCount(3);
  await page.getByRole("button", { name: /^End the session of/ }).click();
  await expect(notice(page)).toHaveText("The session is ended.");
  await expect(sessions).toHaveCount(2);
  await other.reload();
  await expect(other.getByRole("button", { name: "Sign in" })).toBeVisible();

  await signOut(page, ana);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await looked(page);
  await page.goBack();
  await page.reload();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
});

test("a person who was invited makes an account and has the role", async ({ holdpoint, page, anotherBrowser }) => {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  await signIn(page, ana);
  await page.goto("/people");
  const invite = page.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("Email").fill("ben@example.org");
  await invite.getByLabel("Full name").fill("Ben Example");
  await invite.getByLabel("Role").selectOption("Member");
  await invite.getByLabel("Your password").fill(ana.password);
  await invite.getByRole("button", { name: "Make invitation" }).click();
  const link = await page.getByRole("textbox", { name: "Link for Ben Example" }).inputValue();
  await looked(page);
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Link for Ben Example" })).toHaveCount(0);

  const other = await anotherBrowser();
  await other.goto(link);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("You are invited");
  await looked(other);
  await expect(other.getByLabel("Full name")).toHaveValue("Ben Example");
  await other.getByLabel("Password").fill("a sentence of four words");
  await other.getByRole("button", { name: "Make my account" }).click();
  await expect(notice(other)).toHaveText("Welcome, Ben Example. Your account is ready.");
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Reviews");
  await expect(opener(other, "Menu of Ben Example")).toBeVisible();
  await looked(other);
});
