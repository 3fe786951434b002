/** Pages as a real browser shows them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { generate } from "../../pipeline/generate";
import { report } from "../../report/report";
import { buildTo } from "../verify/outputs";

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
  await generate({ output: at("in"), rankings: 300, actions: 20_000, customers: 100, items: 200, days: 5 });
  const inputs = ["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
  );
  await buildTo(at("a"), [...inputs, "--history-length=200"]);
  await buildTo(at("b"), [...inputs, "--history-length=200", "--lookback-days=20", "--order-lag-days=1"]);
  await report(at("a"), { to: at("alone.html") });
  await report(at("a"), { to: at("against.html"), against: at("b") });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

test.each(
  ["alone", "against"].flatMap((name) =>
    [390, 1280].flatMap((width) => (["light", "dark"] as const).map((colorScheme) => ({ name, width, colorScheme }))),
  ),
)("$name at $width pixels, $colorScheme: no error, nothing too wide, accessible", async ({ name, width, colorScheme }) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
  page.on("pageerror", (error) => void errors.push(String(error)));
  await page.goto(`file://${at(`${name}.html`)}`);
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  expect(await page.locator("figure svg").count()).toBeGreaterThan(6);
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const { violations } = (await page.evaluate("axe.run()")) as Awaited<ReturnType<Axe["run"]>>;
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)).toEqual([]);
  expect(errors).toEqual([]);
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  await context.close();
});
