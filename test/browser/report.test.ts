/** Pages as a real browser shows them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { generate } from "../../pipeline/generate";
import { report } from "../../report/report";
import { buildTo, forget } from "../verify/outputs";

const folder = mkdtempSync(join(tmpdir(), "backstory-browser-"));
const at = (...path: string[]) => join(folder, ...path);
const pictures = process.env.PICTURES;
let browser: Browser;

beforeAll(async () => {
  // an ES module, which Jest's require cannot load; unpacks the browser
  const script = "import('@sparticuz/chromium').then(({ default: it }) => it.executablePath()).then((path) => console.log(path))";
  const executablePath = execFileSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 120_000 }).trim();
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu"],
    timeout: 120_000,
  });
  await makePages();
});

/** Kinds of outputs: good; bad in every way, over days of which one is empty; with drift; nobody's; of one row. */
const PAGES = ["good", "bad", "against", "forgotten", "one"];

async function makePages(): Promise<void> {
  await generate({ output: at("in"), rankings: 300, actions: 20_000, customers: 100, items: 200, days: 5 });
  const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"];
  const flagsFor = (place: string) => tables.map((table) => `--${table.replaceAll("_", "-")}=${at(place, `${table}.ndjson`)}`);
  const inputs = flagsFor("in");
  await buildTo(at("a"), [...inputs, "--history-length=200"]);
  await buildTo(at("b"), [...inputs, "--history-length=200", "--lookback-days=20", "--order-lag-days=1"]);
  mkdirSync(at("spoilt"));
  for (const table of tables) writeFileSync(at("spoilt", `${table}.ndjson`), spoilt(readFileSync(at("in", `${table}.ndjson`), "utf8")));
  await buildTo(at("c"), [...flagsFor("spoilt"), "--history-length=200", "--dates=2025-08-03..2025-08-09"]);
  const click = { customer_id: 1, item_id: 2, click_time: "2025-08-15 10:00:00" };
  const ranking = { dt: "2025-08-16", ranking_id: "r", customer_id: 1, impressions: [{ item_id: 2, is_order: true }] };
  writeFileSync(at("clicks.ndjson"), JSON.stringify(click));
  writeFileSync(at("impressions.ndjson"), JSON.stringify(ranking));
  const none = ["--add-to-carts=none", "--previous-orders=none"];
  await buildTo(at("d"), [`--impressions=${at("impressions.ndjson")}`, `--clicks=${at("clicks.ndjson")}`, ...none]);
  await report(at("a"), { to: at("good.html") });
  await report(at("c"), { to: at("bad.html") });
  await report(at("a"), { to: at("against.html"), against: at("b") });
  await report(at("d"), { to: at("one.html") });
  forget(at("b"));
  await report(at("b"), { to: at("forgotten.html") });
}

/** Some lines broken, some of another day, some from the future. */
const spoilt = (text: string): string =>
  text
    .split("\n")
    .map((line, i) => {
      if (i % 97 === 5) return line.slice(0, -2);
      if (i % 31 === 7)
        return line.replace(/"dt":"[^"]*"/, '"dt":"2025-08-04"').replace(/"occurred_at":"[^"]*"/, '"occurred_at":"2025-08-05 08:00:00"');
      return i % 211 === 3 ? line.replace(/_time":"[^ ]* /, '_time":"2025-08-20 ') : line;
    })
    .join("\n");

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

async function open(name: string, width: number, colorScheme: "light" | "dark") {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
  const page = await context.newPage();
  const odd: string[] = [];
  page.on("console", (message) => void odd.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => void odd.push(String(error)));
  page.on("dialog", (dialog) => void odd.push(dialog.message()));
  page.on("request", (request) => void (request.url().startsWith("file:///") || odd.push(request.url())));
  await page.goto(`file://${at(`${name}.html`)}`);
  return { context, page, odd };
}

const shoot = async (page: Page, name: string) =>
  pictures === undefined ? undefined : page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });

async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const { violations } = (await page.evaluate("axe.run()")) as Awaited<ReturnType<Axe["run"]>>;
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

/** Pages that have every chart there is are looked at in all four ways, the others in two. */
const LOOKS = PAGES.flatMap((name) =>
  [390, 1280].flatMap((width) =>
    (["light", "dark"] as const)
      .filter((colorScheme) => ["bad", "against"].includes(name) || (width === 390) === (colorScheme === "light"))
      .map((colorScheme) => ({ name, width, colorScheme })),
  ),
);

test.each(LOOKS)("$name at $width pixels, $colorScheme: no error, nothing too wide, accessible", async ({ name, width, colorScheme }) => {
  const { context, page, odd } = await open(name, width, colorScheme);
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  expect(await page.locator("figure .picture > svg").count()).toBeGreaterThan(5);
  // no text of a chart leaves its card
  expect(await page.evaluate(OUTSIDE)).toEqual([]);
  await shoot(page, `${name}-${width}-${colorScheme}`);
  await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })");
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  // each width and each scheme once: axe looks at the colours of every cell, which takes seconds
  if ((width === 390) === (colorScheme === "light")) expect(await violations(page)).toEqual([]);
  expect(odd).toEqual([]);
  await context.close();
});

/** Texts of charts that stand outside of their card, or over one another in the same group. */
const OUTSIDE = `[...document.querySelectorAll("figure")].flatMap((figure) => {
  const card = figure.getBoundingClientRect();
  return [...figure.querySelectorAll(".picture > svg text")].flatMap((text) => {
    const box = text.getBoundingClientRect();
    return box.left < card.left || box.right > card.right || box.top < card.top || box.bottom > card.bottom ? [figure.id + ": " + text.textContent] : [];
  });
})`;

test("by keyboard: tables open and scroll, and what has the focus is seen", async () => {
  const { context, page } = await open("bad", 390, "light");
  const focused = () => page.evaluate("document.activeElement.tagName + ' ' + (document.activeElement.textContent ?? '').slice(0, 20)");
  const seen: unknown[] = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).not.toBe("none");
  }
  expect(seen[0]).toBe("A What was run");
  expect(seen).toContain("SUMMARY The numbers of Rows ");
  await page.locator("#rows summary").focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("#rows td").first().isVisible()).toBe(true);
  await page.keyboard.press("Enter");
  expect(await page.locator("#rows td").first().isVisible()).toBe(false);
  await page.locator("#late .scroll").focus();
  await page.keyboard.press("ArrowDown");
  await expect(
    page.waitForFunction("document.querySelector('#late .scroll').scrollTop > 0", undefined, { timeout: 10_000 }),
  ).resolves.toBeDefined();
  await context.close();
});

test.each(PAGES)("%s in print: all numbers are there, in black on white, and no picture is cut", async (name) => {
  const { context, page, odd } = await open(name, 720, "dark");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
  expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(0, 0, 0)");
  const cells = await page.evaluate(
    "[...document.querySelectorAll('td')].filter((cell) => cell.getBoundingClientRect().height === 0).length",
  );
  expect(cells).toBe(0);
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
  expect(odd).toEqual([]);
  await shoot(page, `${name}-print`);
  await context.close();
});
