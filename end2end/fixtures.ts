import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, type Page, test as base, expect } from "@playwright/test";

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const BINARY = resolve(TOP, process.env.HOLDPOINT_BIN ?? "target/debug/holdpoint");
const SITE = resolve(TOP, process.env.HOLDPOINT_SITE ?? "target/site");
const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** What a command printed and how it ended. */
export type Ended = { code: number; stdout: string; stderr: string };

/** A person with a local account. */
export type Person = { name: string; email: string; password: string };

/** One running `holdpoint serve` with a data folder of its own. */
export class Holdpoint {
  private constructor(
    /** `http://127.0.0.1:PORT`, without a slash at its end. */
    readonly url: string,
    /** The data folder: database, evidence, keys. */
    readonly data: string,
    private process: ChildProcess,
    private log: () => string,
  ) {}

  static async start(options: { environment?: Record<string, string> } = {}): Promise<Holdpoint> {
    const data = mkdtempSync(join(tmpdir(), "holdpoint-end2end-"));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = spawn(BINARY, ["serve", "--data", data, "--listen", `127.0.0.1:${port}`], {
      cwd: TOP,
      env: environment({ HOLDPOINT_SITE: SITE, ...options.environment }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    child.stdout?.on("data", (text) => (log += text));
    child.stderr?.on("data", (text) => (log += text));
    const ended = new Promise<never>((_, refuse) => {
      child.once("error", (error) => refuse(new Error(`cannot start ${BINARY}: ${error.message}`)));
      child.once("exit", (code) => refuse(new Error(`holdpoint ended with ${code}:\n${log}`)));
    });
    ended.catch(() => undefined);
    await Promise.race([answers(`${url}/healthz`), ended]);
    return new Holdpoint(url, data, child, () => log);
  }

  /** All that the server has said so far. */
  get output(): string {
    return this.log();
  }

  /** The one-time link that the first start prints, as soon as it has. */
  async setUpLink(): Promise<string> {
    const found = () => this.output.match(/https?:\/\/\S+\/set-?up\S*/)?.[0];
    await expect.poll(found, { message: "the server prints its set-up link" }).toBeDefined();
    // What the server prints may be coloured or end a sentence.
    const link = (found() ?? "").replace(/\u001b.*$/, "").replace(/[.,")]+$/, "");
    const { pathname, search } = new URL(link);
    return `${this.url}${pathname}${search}`;
  }

  /** Runs a command of the binary on this server's data, with `input` as its standard input. */
  run(words: string[], input = ""): Promise<Ended> {
    return new Promise((done) => {
      const env = environment({ HOLDPOINT_DATA: this.data, HOLDPOINT_SITE: SITE, HOLDPOINT_URL: this.url });
      const child = execFile(BINARY, words, { cwd: TOP, env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 2;
        done({ code, stdout, stderr });
      });
      // A command that reads nothing may have ended before this is written.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });
  }

  /** Makes a local account, without the web. */
  async person(name: string, options: { admin?: boolean } = {}): Promise<Person> {
    const email = `${name.toLowerCase().replaceAll(" ", ".")}@example.org`;
    const password = `${name} has a long password`;
    const words = ["user", "add", "--email", email, "--name", name, "--password-stdin"];
    const ended = await this.run(options.admin === true ? [...words, "--admin"] : words, `${password}\n`);
    expect(ended, `holdpoint user add ${email}`).toMatchObject({ code: 0 });
    return { name, email, password };
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.process.once("exit", done));
    if (this.process.exitCode === null && this.process.kill("SIGTERM")) {
      await ended;
    }
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Fails unless axe finds nothing wrong with the page (WCAG 2.2 A and AA, and its best practices). */
export async function axe(page: Page): Promise<void> {
  const violations = await withScript(page, async () => {
    // Evaluated rather than added as a script, which the page's own policy would refuse.
    await page.evaluate(AXE);
    return page.evaluate(async () => {
      const { axe } = window as unknown as { axe: Axe };
      const results = await axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        resultTypes: ["violations"],
        // Fetching style sheets again would be refused by the page's policy and noted on its console.
        preload: false,
      });
      return results.violations.map((violation) => ({
        rule: violation.id,
        help: violation.help,
        where: violation.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
      }));
    });
  });
  // Softly: the journey goes on, so that one run shows every page that is wrong.
  expect.soft(violations, `axe on ${page.url()}`).toEqual([]);
}

/** As much of axe as is used here. */
type Axe = {
  run(options: object): Promise<{
    violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
  }>;
};

/**
 * Does something that needs timers and promises in the page. Where the test's browser has scripts switched off, they
 * are on for that long; the page's own, which were left out when it was read, do not run because of it.
 */
async function withScript<T>(page: Page, work: () => Promise<T>): Promise<T> {
  if (test.info().project.use.javaScriptEnabled !== false) {
    return work();
  }
  const session = await page.context().newCDPSession(page);
  const disable = (value: boolean) => session.send("Emulation.setScriptExecutionDisabled", { value });
  // A session only passes on what changes for it.
  await disable(true);
  await disable(false);
  try {
    return await work();
  } finally {
    await disable(true);
    await session.detach();
  }
}

/** Pictures of the page as it is: light, dark and on a phone, into `target/shots`. Does nothing unless SHOTS is set. */
export async function shots(page: Page, name: string): Promise<void> {
  if (process.env.SHOTS === undefined) {
    return;
  }
  const folder = resolve(TOP, "target/shots");
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 390]] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.screenshot({ path: join(folder, `${name}-${scheme}-${width}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) {
    await page.setViewportSize(before);
  }
}

type Fixtures = {
  /** A server that nobody else uses. */
  holdpoint: Holdpoint;
  /** Another person's browser: cookies of its own, errors watched like the first one's. */
  anotherBrowser: () => Promise<Page>;
  /** What the pages' consoles may say without failing the test; anything else at level error does. */
  expectedErrors: RegExp[];
};

export const test = base.extend<Fixtures & { watched: (context: BrowserContext) => void }>({
  expectedErrors: [[], { option: true }],

  holdpoint: async ({}, use, info) => {
    const holdpoint = await Holdpoint.start();
    await use(holdpoint);
    if (info.status !== info.expectedStatus) {
      await info.attach("server log", { body: holdpoint.output, contentType: "text/plain" });
    }
    await holdpoint.stop();
  },

  baseURL: async ({ holdpoint }, use) => {
    await use(holdpoint.url);
  },

  watched: async ({ expectedErrors, javaScriptEnabled }, use) => {
    const errors: string[] = [];
    // Where scripts are switched off, nothing fetches the module that a page says it is going to need.
    const expected = javaScriptEnabled === false ? [...expectedErrors, /was preloaded using link preload/] : expectedErrors;
    const note = (text: string) => {
      if (!expected.some((pattern) => pattern.test(text))) {
        errors.push(text);
      }
    };
    await use((context) => {
      context.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") {
          note(`console ${message.type()}: ${message.text()} (${message.location().url})`);
        }
      });
      context.on("weberror", (error) => note(`uncaught: ${error.error().stack ?? error.error()}`));
    });
    expect(errors, "no page says anything on its console").toEqual([]);
  },

  context: async ({ context, watched }, use) => {
    watched(context);
    await use(context);
  },

  anotherBrowser: async ({ browser, watched, baseURL, javaScriptEnabled, viewport, locale, timezoneId }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await newContext(browser, { baseURL, javaScriptEnabled, viewport, locale, timezoneId });
      contexts.push(context);
      watched(context);
      return context.newPage();
    });
    for (const context of contexts) {
      await context.close();
    }
  },
});

export { expect };

function newContext(browser: Browser, options: Parameters<Browser["newContext"]>[0]): Promise<BrowserContext> {
  return browser.newContext(options);
}

/** This process's variables, but of Holdpoint's own only those given: it refuses settings that it does not know. */
function environment(own: Record<string, string>): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDPOINT_"));
  return { ...Object.fromEntries(others), ...own };
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((done, refuse) => {
    const server = createServer();
    server.once("error", refuse);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => done(port));
    });
  });
}

/** Returns when the address answers 200. */
async function answers(url: string): Promise<void> {
  await expect
    .poll(() => fetch(url).then((answer) => answer.status, () => 0), { timeout: 30_000, intervals: [20, 50, 100] })
    .toBe(200);
}
