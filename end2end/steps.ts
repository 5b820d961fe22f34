import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Locator, type Page } from "@playwright/test";
import { type Holdpoint, type Person, axe, expect } from "./fixtures";

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The first real checklist: 13 items in five sections, 3 deliverables. */
export const CHECKLIST = resolve(TOP, "server/crates/checklist/testdata/phase22_production_readiness_audit.md");
export const CHECKLIST_TITLE = "Phase 22: Production Readiness Review (PRR)";

/** The sample's target commit. */
export const COMMIT = "82dd1d2";

/** A scan of the sample's repository at one of its two commits. */
export function scanFile(tool: "semgrep" | "hadolint" | "zizmor", commit: "8b57779" | "82dd1d2"): string {
  return resolve(TOP, `server/crates/service/sample/scans/${tool}-${commit}.sarif`);
}

/** Sends a scanner's file, from a path or made in the journey, and comes to its preview. */
export async function upload(page: Page, file: Parameters<Locator["setInputFiles"]>[0], commit = COMMIT): Promise<void> {
  await tab(page, "Scans");
  await page.getByLabel(/choose files/).setInputFiles(file);
  await opener(page, "Series, commit and format").click();
  await page.getByLabel("Commit that was scanned").fill(commit);
  // What a large file would change takes its time.
  await page.getByRole("button", { name: "Upload and preview" }).click({ timeout: 60_000 });
  await expect(page.getByText("Preview, nothing is saved yet")).toBeVisible();
}

/** The figures of a preview or scan: "60 New", "0 Unchanged". */
export async function figures(page: Page, expected: Record<string, number>): Promise<void> {
  for (const [name, n] of Object.entries(expected)) {
    const figure = page.getByRole("main").getByText(new RegExp(`^${n}${name}`));
    await expect(figure, `${n} ${name}`).toBeVisible();
  }
}

/** Imports what the preview shows. */
export async function importScan(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Import (\d|the clean scan)/ }).click();
  await expect(notice(page)).toContainText(/^Imported /);
}

/** Goes to the sign-in page and signs in; ends on the page that was asked for. */
export async function signIn(page: Page, person: Person, next = "/"): Promise<void> {
  await page.goto(next === "/" ? "/sign-in" : next);
  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(opener(page, `Menu of ${person.name}`)).toBeVisible();
}

/** A review of a service that one person manages, who is signed in, and to which another contributes. */
export async function reviewOfTwo(holdpoint: Holdpoint, page: Page): Promise<{ review: string; ben: Person }> {
  const ana = await holdpoint.person("Ana Example", { admin: true });
  const ben = await holdpoint.person("Ben Example");
  const review = await (await Api.of(holdpoint, ana)).begin("Market Maker", "market-maker", { commit: COMMIT });
  await signIn(page, ana, "/services/market-maker/people");
  const invite = page.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("Email").fill(ben.email);
  await invite.getByLabel("Role here").selectOption("Contributor");
  await invite.getByLabel("Your password").fill(ana.password);
  await invite.getByRole("button", { name: "Make invitation" }).click();
  await expect(notice(page)).toContainText("Ben Example");
  await page.goto(`/reviews/${review}`);
  return { review, ben };
}

/** The words that open something: browsers give them no role that could be asked for. */
export function opener(within: Page | Locator, words: string | RegExp): Locator {
  return within.locator("summary").filter({ hasText: words });
}

/** Signs out by the menu of the person. */
export async function signOut(page: Page, person: Person): Promise<void> {
  await opener(page, `Menu of ${person.name}`).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("status")).toHaveText("You are signed out.");
}

/** What the last form said. */
export function notice(page: Page): Locator {
  return page.getByRole("main").getByRole("status").first();
}

/** Picks one of several cards by the keyboard: for a pointer the whole card is one label over its button. */
export async function pick(within: Page | Locator, name: string): Promise<void> {
  const radio = within.getByRole("radio", { name, exact: true });
  await radio.press("Space");
  await expect(radio).toBeChecked();
}

/** One tab of the review's bar. */
export async function tab(page: Page, name: string): Promise<void> {
  const bar = page.getByRole("navigation", { name: /^Review / });
  await bar.getByRole("link", { name: new RegExp(`^${name}`) }).click();
  await expect(bar.getByRole("link", { name: new RegExp(`^${name}`) })).toHaveAttribute("aria-current", "page");
}

/** A piece of evidence on its item's page, by a part of its name. */
export function evidence(page: Page, name: string | RegExp): Locator {
  return page.getByRole("region", { name: /^Evidence/ }).getByRole("listitem").filter({ hasText: name });
}

/** What a page looks like to whoever checks it: audited, and with one main heading. */
export async function looked(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  // From the top, where no bar that stays lies over what is scrolled below it.
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await axe(page);
}

/** The sample's people by their part, with the passwords that loading it printed. */
export type Sample = { review: string; admin: Person; manager: Person; owner: Person; reviewer: Person };

/** Loads the sample by the command line. */
export async function loadSample(holdpoint: Holdpoint): Promise<Sample> {
  const ended = await holdpoint.run(["sample", "--json"]);
  expect(ended, "holdpoint sample").toMatchObject({ code: 0 });
  const { review, people } = JSON.parse(ended.stdout) as { review: string; people: Person[] };
  const of = (name: string): Person => {
    const found = people.find((person) => person.name === name);
    if (found === undefined) {
      throw new Error(`the sample has no ${name}`);
    }
    return found;
  };
  return {
    review,
    admin: of("Alex Berg"),
    manager: of("Priya Raman"),
    owner: of("Jonas Lindqvist"),
    reviewer: of("Mira Okafor"),
  };
}

type Json = Record<string, unknown>;
type Asked = { json?: unknown; text?: [type: string, body: string]; version?: number };

/** The HTTP API in the name of one person. */
export class Api {
  private constructor(
    private readonly holdpoint: Holdpoint,
    private readonly token: string,
    private readonly password: string,
  ) {}

  /** Makes a token for everything that the person may do. */
  static async of(holdpoint: Holdpoint, person: Person): Promise<Api> {
    const scopes = "read,export,import_scans,contribute,approve_patch,decide,decide_release,manage,administer";
    const ended = await holdpoint.run(["token", "create", "--email", person.email, "--scope", scopes]);
    expect(ended, `a token for ${person.email}`).toMatchObject({ code: 0 });
    return new Api(holdpoint, ended.stdout.trim(), person.password);
  }

  /** The answer to a call of `/api/v1`, whatever it is. */
  async send(method: string, path: string, asked: Asked = {}): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    let body: string | undefined;
    if (asked.json !== undefined) {
      headers["content-type"] = "application/json";
      body = JSON.stringify(asked.json);
    } else if (asked.text !== undefined) {
      [headers["content-type"], body] = asked.text;
    }
    if (asked.version !== undefined) {
      headers["if-match"] = `"${asked.version}"`;
    }
    return fetch(`${this.holdpoint.url}/api/v1${path}`, { method, headers, body });
  }

  private async json<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
    const answer = await this.send(method, path, asked);
    const text = await answer.text();
    expect(answer.ok, `${method} ${path}: ${answer.status} ${text}`).toBe(true);
    return JSON.parse(text) as T;
  }

  /** A service with the real checklist under review; whoever makes it is its manager. Returns the review's id. */
  async begin(name: string, slug: string, review: Json = {}): Promise<string> {
    const text: [string, string] = ["text/markdown", readFileSync(CHECKLIST, "utf8")];
    const { template } = await this.json<{ template: { id: string } }>("POST", "/templates", { text });
    await this.json("POST", "/services", { json: { name, slug } });
    const json = { template: template.id, title: "Production readiness review", release: "v1.0.0", ...review };
    return (await this.json<{ id: string }>("POST", `/services/${slug}/reviews`, { json })).id;
  }

  /** Imports a scanner's file, in SARIF. */
  async push(service: string, { buffer }: { buffer: Buffer }): Promise<void> {
    await this.json("POST", `/services/${service}/scans`, { text: ["application/sarif+json", buffer.toString()] });
  }

  async items(review: string): Promise<{ id: string; key: string; state: string; n_evidence: number }[]> {
    type Part = { entries: { id: string; key: string; state: string; n_evidence: number }[] };
    return (await this.json<Part>("GET", `/reviews/${review}/items?limit=200`)).entries;
  }

  async step(item: string, step: string): Promise<void> {
    const { version } = await this.json<{ version: number }>("GET", `/items/${item}`);
    await this.json("PATCH", `/items/${item}`, { json: { step }, version });
  }

  async note(item: string, text: string, commit: string): Promise<void> {
    await this.json("POST", `/items/${item}/evidence`, { json: { kind: "note", text, commit } });
  }

  /** Signs an item over what it is now. */
  async pass(item: string, statement: string): Promise<void> {
    const { sign } = await this.json<{ sign: { basis: string } }>("GET", `/items/${item}`);
    const json = { decision: "pass", statement, basis: sign.basis, password: this.password };
    await this.json("POST", `/items/${item}/decision`, { json });
  }

  /** The open findings of these severities. */
  async open(review: string, severity: string): Promise<{ id: string; number: number; tool: string | null }[]> {
    const path = `/reviews/${review}/findings?status=open&severity=${severity}&limit=200`;
    type Part = { entries: { id: string; number: number; tool: string | null }[]; next_cursor: string | null };
    const part = await this.json<Part>("GET", path);
    expect(part.next_cursor, "all of them are in one part").toBeNull();
    return part.entries;
  }

  async triage(finding: string, triage: Json): Promise<void> {
    const { version } = await this.json<{ version: number }>("GET", `/findings/${finding}`);
    await this.json("PATCH", `/findings/${finding}`, { json: { triage }, version });
  }
}
