/** One page that needs nothing besides itself: charts, numbers and definitions, for screens of any width, in light, dark and print. */
import type { Manifest } from "../pipeline/manifest";
import { rejectedRows } from "../transforms/tablecounts";
import { type Chart, type Mark, percent, sum, type Table, thousands, typeName } from "./chart";
import type { Figures } from "./figures";
import { STYLE } from "./style";

export interface PageContent {
  here: Figures;
  there: Figures | undefined;
  charts: readonly Chart[];
}

export function pageOf(content: PageContent): string {
  const { here, there, charts } = content;
  const title = `Training inputs: ${here.output}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Training inputs</h1>
<p class="path">${escaped(here.output)}${there === undefined ? "" : ` against ${escaped(there.output)}`}</p>
${facts(here)}
</header>
<main>
${summary(here, there)}
${there === undefined ? "" : LEGEND}
<section aria-labelledby="charts"><h2 id="charts">Charts</h2>
<div class="charts">
${charts.map(figure).join("\n")}
</div>
</section>
${certificates(here)}
${runs(here)}
</main>
</body>
</html>
`;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** Text in which options look like ones. */
const coded = (text: string): string => escaped(text).replace(/--[a-z][a-z-]*(=(?:[\w%-]|&#\d+;|\.\d)+)?/g, "<code>$&</code>");

const LEGEND = `<p class="legend"><span class="key first"></span> this output, round marks <span class="key second"></span> the other, square marks</p>`;

/** What was run last, in a line. */
function facts({ manifests }: Figures): string {
  const last = manifests.at(-1);
  if (last === undefined) return "";
  const { historyLength, lookbackDays, timezone } = last.options;
  const told = [
    `${manifests.length === 1 ? "Published" : `${thousands(manifests.length)} runs, the last published`} ${minute(last.committed)} UTC by backstory ${last.versions.backstory}`,
    typeof historyLength === "number" ? `history length ${thousands(historyLength)}` : "",
    lookbackDays === undefined ? "" : lookbackDays === "none" ? "no lookback" : `lookback ${lookbackDays} days`,
    timezone === undefined ? "" : `time zone ${timezone}`,
  ];
  return `<p class="facts">${escaped(told.filter(Boolean).join(", "))}. <a href="#runs">What was run</a></p>`;
}

const minute = (instant: string): string => instant.slice(0, 16).replace("T", " ");

function summary(here: Figures, there: Figures | undefined): string {
  const tile = (what: string, of: (figures: Figures) => { value: string; more?: string }): string => {
    const { value, more } = of(here);
    const other = there === undefined ? "" : `<small>other: ${escaped(of(there).value)}</small>`;
    return `<div class="tile"><dt>${escaped(what)}</dt><dd>${escaped(value)}${more === undefined ? "" : ` <small>${escaped(more)}</small>`}${other}</dd></div>`;
  };
  const tiles = [
    tile("rows", ({ rows }) => ({ value: thousands(rows) })),
    tile("days with rows", ({ days }) => daysTold(days.filter(({ rows }) => rows > 0).map(({ dt }) => dt))),
    tile("customers", (figures) =>
      ofRows(figures, ({ customers }) => (customers === null ? "not told" : thousands(customers.at(-1)?.count ?? 0))),
    ),
    tile("rows without history", (figures) => ofRows(figures, ({ quality }) => percent(quality.zero_history_pct))),
    tile("actions of a history", (figures) => ({
      ...ofRows(figures, ({ quality }) => thousands(quality.avg_history_length)),
      more: "on average",
    })),
    tile("rows with is_order", (figures) => ofRows(figures, ({ orders }) => (orders === null ? "not told" : percent(orders)))),
    tile("input rows rejected", (figures) => ofInputs(figures, rejectedRows)),
    tile("input rows late", (figures) => ofInputs(figures, (counts) => counts.late?.rows ?? 0)),
  ];
  return `<section aria-labelledby="summary"><h2 id="summary">In short</h2><dl class="tiles">${tiles.join("")}</dl>${warnings(here)}</section>`;
}

const ofRows = (figures: Figures, told: (figures: Figures) => string) => ({ value: figures.rows === 0 ? "no rows" : told(figures) });

function daysTold(days: readonly string[]): { value: string; more?: string } {
  const [first, last] = [days[0], days.at(-1)];
  return { value: thousands(days.length), more: first === last ? first : `${first} to ${last}` };
}

function ofInputs({ manifests }: Figures, of: (counts: Counts) => number): { value: string; more?: string } {
  if (manifests.length === 0) return { value: "not told" };
  const all = manifests.flatMap(({ ledger }) => Object.values(ledger));
  const rows = sum(all.map(of));
  return { value: thousands(rows), more: rows === 0 ? undefined : `${percent(rows / sum(all.map((counts) => counts.rows)))} of all` };
}

type Counts = Manifest["ledger"][string];

function warnings({ manifests }: Figures): string {
  const all = [...new Set(manifests.flatMap((manifest) => manifest.warnings))];
  return all.length === 0 ? "" : `<h3>Warnings</h3><ul>${all.map((warning) => `<li>${escaped(warning)}</li>`).join("")}</ul>`;
}

/** Charts whose numbers say more than their picture have these beside it, and the room that takes. */
function roomOf({ id, table }: Chart): "" | "wide" | "widest" | "many" {
  if (id === "rejects" || id === "late") return "widest";
  if (id === "ledger") return table.head.length > 3 ? "widest" : "wide";
  // more columns than half of a sheet of paper has room for
  return table.head.length > 5 ? "many" : "";
}

function figure(chart: Chart): string {
  const { id, title, definition, svg, legend, table, terms, drift } = chart;
  const room = roomOf(chart);
  const label = escaped(`${title}. ${definition}`);
  const picture =
    svg === undefined
      ? ""
      : `<div class="picture">${svg.replace(/^<svg/, () => `<svg role="img" aria-label="${label}"`)}${keysOf(legend ?? [])}</div>`;
  const numbers = table.rows.length === 0 ? "" : tableOf(table, title);
  const more = table.more === undefined ? "" : `<p class="more">${escaped(table.more)}</p>`;
  const shown =
    room === "" || room === "many"
      ? `<details><summary>The numbers<span class="hidden"> of ${escaped(title)}</span></summary>${numbers}${more}</details>`
      : `<div class="numbers">${numbers}${more}</div>`;
  return `<figure id="${escaped(id)}"${room === "" ? "" : ` class="${room}"`}>
<figcaption><h3>${escaped(title)}</h3><p>${coded(definition)}</p>${drift === undefined ? "" : `<p class="drift">Drift: ${escaped(drift)}.</p>`}</figcaption>
<div class="parts">${picture}${shown}</div>${termsOf(terms ?? [])}
</figure>`;
}

const SHAPES: Record<Mark["shape"], string> = {
  square: "M2 2H10V10H2Z",
  circle: "M6 1.5A4.5 4.5 0 1 1 6 10.5A4.5 4.5 0 1 1 6 1.5Z",
  triangle: "M6 1L11 10.5H1Z",
  diamond: "M6 0.5L10.5 6L6 11.5L1.5 6Z",
};

function keysOf(legend: NonNullable<Chart["legend"]>): string {
  if (legend.length === 0) return "";
  const keys = legend.map(({ mark: { color, shape, isHollow }, label }) => {
    const paint = isHollow ? `fill="none" stroke="${color}" stroke-width="1.5"` : `fill="${color}"`;
    return `<li><svg viewBox="0 0 12 12" aria-hidden="true"><path d="${SHAPES[shape]}" ${paint}/></svg>${escaped(label)}</li>`;
  });
  return `<ul class="keys">${keys.join("")}</ul>`;
}

function termsOf(terms: NonNullable<Chart["terms"]>): string {
  if (terms.length === 0) return "";
  const told = terms.map(
    ({ term, means, acts }) => `<dt>${escaped(term)}</dt><dd>${coded(means)} <em>What acts on it:</em> ${coded(acts)}</dd>`,
  );
  return `<dl class="terms">${told.join("")}</dl>`;
}

function tableOf({ head, rows }: Table, caption: string): string {
  const cells = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join("");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(`Table: ${caption}`)}"><table><caption class="hidden">${escaped(caption)}</caption><thead><tr>${head
    .map((cell) => `<th scope="col">${escaped(cell)}</th>`)
    .join("")}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("")}</tbody></table></div>`;
}

/** An instant of a manifest without what is always the same. */
const plain = (instant: string): string => instant.replace("T", " ").replace(/(\.0+)?Z$/, "");

function certificates({ manifests }: Figures): string {
  const all = manifests.flatMap(({ run, partitions }) => partitions.map(({ dt, certificate }) => ({ run, dt, ...certificate })));
  if (manifests.length === 0)
    return `<section aria-labelledby="certificate"><h2 id="certificate">Leak certificate</h2><p>The output has no manifest, so nothing proves what its rows knew. Verify it with its inputs: <code>backstory verify</code>.</p></section>`;
  if (all.length === 0) return "";
  const types = [...new Set(all.flatMap(({ used }) => Object.keys(used)))].sort((a, b) => Number(a) - Number(b));
  const columns: [head: string, cell: (of: (typeof all)[number]) => string][] = [
    ["dt", ({ dt }) => dt],
    ["cutoff, UTC", ({ cutoff }) => plain(cutoff)],
    ["cutoff of orders", ({ cutoff, orderCutoff }) => (cutoff === orderCutoff ? "the same" : plain(orderCutoff))],
    ["lookback from", ({ lookbackStart }) => (lookbackStart === null ? "none" : plain(lookbackStart))],
    ...types.map((type): (typeof columns)[number] => [
      `newest ${typeName(type)}`,
      ({ used }) => (used[type] === undefined ? "none" : plain(used[type].newest)),
    ]),
    ["time zone", ({ timezone, tz }) => `${timezone} (rules of ${tz})`],
    ["action clock", ({ actionClock }) => actionClock],
    ["run", ({ run }) => run],
  ];
  // what is the same for all is said once
  const [common, own] = [columns.slice(-3), columns.slice(0, -3)];
  const isSame = ([, cell]: (typeof columns)[number]) => all.every((each) => cell(each) === cell(all[0]));
  const told = common.filter(isSame).map(([head, cell]) => `${head} ${cell(all[0])}`);
  const shown = [...own, ...common.filter((column) => !isSame(column))];
  const table = { head: shown.map(([head]) => head), rows: all.map((each) => shown.map(([, cell]) => cell(each))) };
  return `<section aria-labelledby="certificate"><h2 id="certificate">Leak certificate</h2>
<p>For each dt: an action counts only from before the cutoff, and the newest that any history has is from before it. <code>backstory verify</code> proves it from the raw inputs.${told.length === 0 ? "" : ` For all: ${escaped(told.join(", "))}.`}</p>
${tableOf(table, "Leak certificate")}</section>`;
}

const SOURCES = {
  true: "Rows, lengths and types of histories are as the runs have counted them, items, customers and is_order from the rows. <code>backstory verify</code> looks whether files and manifests agree.",
  false: "Where files are not those of a manifest, histories were counted from the rows.",
};

function runs({ manifests, isTold }: Figures): string {
  if (manifests.length === 0) return "";
  const parts = manifests.map(({ run, committed, versions, writeMode, options, inputs }) => {
    const bytes = new Map<string, { files: number; bytes: number }>();
    for (const { table, size } of inputs) {
      const sum = bytes.get(table) ?? { files: 0, bytes: 0 };
      bytes.set(table, { files: sum.files + 1, bytes: sum.bytes + size });
    }
    const read = [...bytes].map(([table, sum]) => [table, thousands(sum.files), thousands(sum.bytes)]);
    const told = Object.entries(options).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
    return `<h3>Run ${escaped(run)}</h3><p>Published ${escaped(minute(committed))} UTC by backstory ${escaped(versions.backstory)}, write mode ${escaped(writeMode)}.</p>
<details><summary>Inputs</summary>${tableOf({ head: ["table", "files", "bytes"], rows: read }, `Inputs of run ${run}`)}</details>
<details><summary>Options</summary>${tableOf({ head: ["option", "value"], rows: told }, `Options of run ${run}`)}</details>`;
  });
  return `<section aria-labelledby="runs"><h2 id="runs">What was run</h2><p>${SOURCES[String(isTold) as "true" | "false"]}</p>${parts.join("\n")}</section>`;
}
