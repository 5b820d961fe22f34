import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Page } from "@playwright/test";
import { type Holdpoint, type Person, expect, test } from "./fixtures";
import { Api, COMMIT, type Sample, looked, notice, opener, pick, signIn, tab } from "./steps";

/** What a program answers to its input: its exit code and everything that it said. */
function program(name: string, words: string[], input: Buffer): Promise<{ code: number; said: string }> {
  return new Promise((done) => {
    const child = execFile(name, words, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ code, said: `${stdout}${stderr}` });
    });
    // A program that refuses early does not read on.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

/** What a report says of itself; the checklist's own words are another line. */
function status(report: Buffer): string | undefined {
  return report.toString().match(/^\| Status \| (.*) \|$/m)?.[1];
}

/** Loads the sample by its button and reads the passwords off the page that shows them once. */
async function loadByButton(page: Page, admin: Person): Promise<Sample> {
  await signIn(page, admin);
  await page.getByRole("button", { name: "Load the sample review" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sample review");
  await looked(page);
  const of = async (name: string): Promise<Person> => ({
    name,
    email: await page.getByLabel(`Address of ${name}`).inputValue(),
    password: await page.getByLabel(`Password of ${name}`).inputValue(),
  });
  const [manager, owner, reviewer] = [await of("Priya Raman"), await of("Jonas Lindqvist"), await of("Mira Okafor")];
  await page.getByRole("link", { name: "Open the sample review" }).click();
  await expect(page).toHaveURL(/\/reviews\/[^/]+$/);
  const review = page.url().split("/").pop() ?? "";
  await page.goto("/sample");
  await expect(page.getByText("The passwords were shown once and are not kept.")).toBeVisible();
  await looked(page);
  return { review, admin, manager, owner, reviewer };
}

/** What the people of the sample still have to do before the release can go, done as programs do it. */
async function workThrough(holdpoint: Holdpoint, sample: Sample): Promise<void> {
  const owner = await Api.of(holdpoint, sample.owner);
  const reviewer = await Api.of(holdpoint, sample.reviewer);
  const manager = await Api.of(holdpoint, sample.manager);
  for (const finding of await owner.open(sample.review, "critical,high")) {
    const decision = finding.tool === null
      ? { action: "fixed", reason: `Fixed in ${COMMIT} and read again.` }
      : { action: "false_positive", reason: "Read at the place it names: it does not apply." };
    // They block, so that one asks and another approves.
    await owner.triage(finding.id, decision);
    await manager.triage(finding.id, { action: "approve" });
  }
  for (const item of await owner.items(sample.review)) {
    if (item.state === "passed") {
      continue;
    }
    if (item.n_evidence === 0) {
      await owner.note(item.id, `Read the code and the configuration for ${item.key}.`, COMMIT);
    }
    if (item.state === "open") {
      await owner.step(item.id, "start");
    }
    if (item.state !== "in_review") {
      await owner.step(item.id, "request_review");
    }
    await reviewer.pass(item.id, `Checked ${item.key} against its evidence.`);
  }
}

test("the sample is worked through, signed, and its report verified offline", async ({
  holdpoint,
  page,
  anotherBrowser,
}, info) => {
  test.setTimeout(120_000);
  const sample = await loadByButton(page, await holdpoint.person("Ana Example", { admin: true }));

  // Before the decision the report is a draft without a signature.
  const manager = await anotherBrowser();
  await signIn(manager, sample.manager, `/reviews/${sample.review}/report`);
  await expect(manager.getByText("A draft: the release has not been decided on")).toBeVisible();
  await expect(manager.getByRole("link", { name: /Signature/ })).toHaveCount(0);
  await looked(manager);
  const draft = await manager.request.get(`/reviews/${sample.review}/report.md`);
  expect(status(await draft.body())).toMatch(/DRAFT/);
  expect((await manager.request.get(`/reviews/${sample.review}/report.md.sig`)).status()).toBe(404);

  await manager.goto(`/reviews/${sample.review}`);
  const verdict = manager.getByRole("region", { name: /^(No-go|NO-GO|GO)/ });
  await expect(verdict).toContainText("NO-GO");
  await looked(manager);
  await tab(manager, "Sign-off");
  await expect(manager.getByRole("radio", { name: "Go", exact: true })).toBeDisabled();
  await expect(manager.getByRole("radio", { name: "Go", exact: true })).toHaveAccessibleDescription(
    /GO is not possible while the verdict is NO-GO/,
  );
  await looked(manager);

  await workThrough(holdpoint, sample);
  const owner = await anotherBrowser();
  await signIn(owner, sample.owner, `/reviews/${sample.review}/checklist`);
  for (let left = 3; left > 0; left -= 1) {
    const open = { has: opener(owner, "Finish") };
    const one = owner.getByRole("region", { name: "Deliverables" }).getByRole("listitem").filter(open).first();
    await opener(one, "Finish").click();
    await one.getByLabel("Note").fill("It is in the repository.");
    await one.getByRole("button", { name: "Mark as done" }).click();
    await expect(owner.getByText(`${4 - left} of 3 done`)).toBeVisible();
  }
  await looked(owner);

  await tab(manager, "Readiness");
  await expect(verdict).toContainText("Nothing holds it back");
  await looked(manager);
  await tab(manager, "Sign-off");
  const sign = manager.getByRole("form", { name: "Sign as manager" });
  await pick(sign, "Go");
  await sign.getByLabel("Statement").fill("All blockers are cleared.");
  await sign.getByLabel("Your password").fill("not Priya's password");
  await sign.getByRole("button", { name: "Sign release decision" }).click();
  await expect(sign.getByLabel("Your password")).toHaveAccessibleDescription(/This is not your password\./);
  await expect(sign.getByLabel("Statement")).toHaveValue("All blockers are cleared.");
  await sign.getByLabel("Your password").fill(sample.manager.password);
  await sign.getByRole("button", { name: "Sign release decision" }).click();
  await expect(notice(manager)).toHaveText("Signed: GO. The signature and its digest are on record.");
  await expect(manager.getByRole("row").filter({ hasText: "Priya Raman" })).toContainText("Valid");
  await looked(manager);

  const folder = mkdtempSync(join(tmpdir(), "holdpoint-report-"));
  try {
    const keep = async (name: string, link: string): Promise<Buffer> => {
      const [download] = await Promise.all([
        manager.waitForEvent("download"),
        manager.getByRole("link", { name: link, exact: true }).click(),
      ]);
      await download.saveAs(join(folder, name));
      return readFileSync(join(folder, name));
    };
    await manager.getByRole("link", { name: "Read or export the report" }).click();
    await looked(manager);
    const report = await keep("report.md", "Markdown (report.md)");
    await keep("report.md.sig", "Signature (report.md.sig)");
    await keep("bundle.zip", "Signed bundle with evidence and patches (.zip)");
    expect(status(report)).toBe("Decided");
    const keys = await manager.request.get("/.well-known/holdpoint-signing-keys");
    writeFileSync(join(folder, "allowed_signers"), await keys.body());

    const openssh = (of: Buffer) => {
      const words = ["-Y", "verify", "-f", join(folder, "allowed_signers"), "-I", "holdpoint"];
      return program("ssh-keygen", [...words, "-n", "holdpoint-report@v1", "-s", join(folder, "report.md.sig")], of);
    };
    const ours = (name: string) => {
      const words = ["verify", join(folder, name), "--signature", join(folder, "report.md.sig")];
      return holdpoint.run([...words, "--key", join(folder, "allowed_signers")]);
    };
    const good = await openssh(report);
    expect(good.said).toContain("Good \"holdpoint-report@v1\" signature for holdpoint");
    expect(good.code).toBe(0);
    expect((await ours("report.md")).code).toBe(0);

    expect((await holdpoint.run(["verify", join(folder, "bundle.zip"), "--key", join(folder, "allowed_signers")])).code).toBe(0);

    const changed = Buffer.from(report);
    const at = changed.indexOf("GO");
    changed.writeUInt8(changed.readUInt8(at) ^ 0x20, at);
    writeFileSync(join(folder, "changed.md"), changed);
    expect((await openssh(changed)).code).not.toBe(0);
    expect((await ours("changed.md")).code).toBe(1);
    await info.attach("report.md", { body: report, contentType: "text/markdown" });

    // What came later is a draft beside the decided report, which stays as it is.
    await manager.getByRole("link", { name: /^Draft of now/ }).click();
    await expect(manager.getByText("A draft beside the decided report: what has come since.")).toBeVisible();
    await expect(manager.getByRole("link", { name: /Signature/ })).toHaveCount(0);
    await looked(manager);
    await manager.getByRole("link", { name: /^Decided report: GO/ }).click();
    await expect(manager.getByText("The report of the release decision: fixed when that was signed")).toBeVisible();
    expect((await keep("again.md", "Markdown (report.md)")).equals(report)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect((await holdpoint.run(["log", "verify"])).code).toBe(0);
});
