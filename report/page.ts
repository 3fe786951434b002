/** One page that needs nothing besides itself: charts, numbers and definitions, for screens of any width, in light, dark and print. */
import { type Chart, percent, thousands, typeName } from "./charts";
import type { Figures } from "./figures";

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

const LEGEND = `<p class="legend"><span class="key first"></span> this output, round marks <span class="key second"></span> the other, square marks</p>`;

function summary(here: Figures, there: Figures | undefined): string {
  const tile = (value: (figures: Figures) => string, what: string): string =>
    `<div class="tile"><dt>${escaped(what)}</dt><dd>${escaped(value(here))}${there === undefined ? "" : ` <small>other: ${escaped(value(there))}</small>`}</dd></div>`;
  const tiles = [
    tile(({ rows }) => thousands(rows), "rows"),
    tile(({ days }) => (days.length === 0 ? "none" : `${days.length} (${days[0].dt} to ${days.at(-1)!.dt})`), "days"),
    tile(({ quality }) => percent(quality.zero_history_pct), "rows without history"),
    tile(({ quality }) => thousands(quality.avg_history_length), "actions of a history, on average"),
    tile(({ orders }) => (orders === null ? "not told" : percent(orders)), "rows with is_order"),
    tile(({ customers }) => thousands(customers.at(-1)?.count ?? 0), "customers"),
  ];
  return `<section aria-labelledby="summary"><h2 id="summary">In short</h2><dl class="tiles">${tiles.join("")}</dl>${warnings(here)}</section>`;
}

function warnings({ manifests }: Figures): string {
  const all = manifests.flatMap((manifest) => manifest.warnings);
  return all.length === 0 ? "" : `<h3>Warnings</h3><ul>${all.map((warning) => `<li>${escaped(warning)}</li>`).join("")}</ul>`;
}

function figure({ id, title, definition, svg, table, drift }: Chart): string {
  const labelled = svg.replace(/^<svg/, `<svg role="img" aria-label="${escaped(`${title}. ${definition}`)}"`);
  return `<figure id="${id}">
<figcaption><h3>${escaped(title)}</h3><p>${escaped(definition)}</p>${drift === undefined ? "" : `<p class="drift">Drift: ${escaped(drift)}.</p>`}</figcaption>
${labelled}
<details><summary>The numbers<span class="hidden"> of ${escaped(title)}</span></summary>${tableOf(table, title)}</details>
</figure>`;
}

function tableOf({ head, rows }: Chart["table"], caption: string): string {
  const cells = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join("");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(`Table: ${caption}`)}"><table><caption class="hidden">${escaped(caption)}</caption><thead><tr>${head
    .map((cell) => `<th scope="col">${escaped(cell)}</th>`)
    .join("")}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("")}</tbody></table></div>`;
}

/** An instant of a manifest without what is always the same. */
const plain = (instant: string): string => instant.replace("T", " ").replace(/(\.0+)?Z$/, "");

function certificates({ manifests }: Figures): string {
  const types = [
    ...new Set(manifests.flatMap(({ partitions }) => partitions.flatMap(({ certificate }) => Object.keys(certificate.used)))),
  ].sort((a, b) => Number(a) - Number(b));
  const rows = manifests.flatMap(({ run, partitions }) =>
    partitions.map(({ dt, certificate: { cutoff, orderCutoff, lookbackStart, timezone, tz, actionClock, orderLagDays, used } }) => [
      dt,
      plain(cutoff),
      orderLagDays === 0 ? "as cutoff" : plain(orderCutoff),
      lookbackStart === null ? "none" : plain(lookbackStart),
      ...types.map((type) => (used[type] === undefined ? "none" : plain(used[type].newest))),
      `${timezone} (${tz})`,
      actionClock,
      run,
    ]),
  );
  if (rows.length === 0)
    return `<section><h2>Leak certificate</h2><p>The output has no manifest, so nothing proves what its rows knew. Verify it with its inputs: <code>backstory verify</code>.</p></section>`;
  const head = [
    "dt",
    "cutoff, UTC",
    "cutoff of orders",
    "lookback from",
    ...types.map((type) => `newest ${typeName(type)}`),
    "time zone",
    "clock",
    "run",
  ];
  return `<section aria-labelledby="certificate"><h2 id="certificate">Leak certificate</h2>
<p>For each dt: an action counts only from before the cutoff, and the newest that any history has is from before it. <code>backstory verify</code> proves it from the raw inputs.</p>
${tableOf({ head, rows }, "Leak certificate")}</section>`;
}

function runs({ manifests }: Figures): string {
  if (manifests.length === 0) return "";
  const parts = manifests.map(({ run, committed, versions, writeMode, options, inputs }) => {
    const bytes = new Map<string, { files: number; bytes: number }>();
    for (const { table, size } of inputs) {
      const sum = bytes.get(table) ?? { files: 0, bytes: 0 };
      bytes.set(table, { files: sum.files + 1, bytes: sum.bytes + size });
    }
    const read = [...bytes].map(([table, sum]) => [table, thousands(sum.files), thousands(sum.bytes)]);
    const told = Object.entries(options).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
    return `<h3>Run ${escaped(run)}</h3><p>Published ${escaped(committed.slice(0, 19).replace("T", " "))} UTC by backstory ${escaped(versions.backstory)}, write mode ${escaped(writeMode)}.</p>
<details><summary>Inputs</summary>${tableOf({ head: ["table", "files", "bytes"], rows: read }, `Inputs of run ${run}`)}</details>
<details><summary>Options</summary>${tableOf({ head: ["option", "value"], rows: told }, `Options of run ${run}`)}</details>`;
  });
  return `<section aria-labelledby="runs"><h2 id="runs">What was run</h2>${parts.join("\n")}</section>`;
}

const STYLE = `
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;--first:#0b62c4;--second:#b3470a;--third:#1a7f37;--fourth:#8250df;--padding:#6e7781}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--paper:#0d1117;--card:#161b22;--line:#30363d;--first:#58a6ff;--second:#f0883e;--third:#56d364;--fourth:#bc8cff;--padding:#8b949e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:16px;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.25rem;margin:1.6em 0 .5em;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:0 0 .3em}
.path{color:var(--soft);overflow-wrap:anywhere;margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin:0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.tile dt{color:var(--soft);font-size:.85rem}.tile dd{margin:0;font-size:1.15rem;font-weight:600}.tile small{display:block;font-weight:400;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(360px,100%),1fr));gap:16px;align-items:start}
figure{margin:0;padding:14px;border:1px solid var(--line);border-radius:8px;background:var(--paper);break-inside:avoid;min-width:0}
figcaption p{margin:0 0 .5em;font-size:.85rem;color:var(--soft)}figcaption .drift{color:var(--ink)}
svg{display:block;width:100%;max-width:420px;height:auto;margin:0 auto;font:11px system-ui,sans-serif;overflow:visible}
svg text{fill:currentColor}
details{margin-top:.5em}summary{cursor:pointer;font-size:.9rem}
.scroll{overflow-x:auto;max-height:24rem}
table{border-collapse:collapse;font-size:.85rem;width:100%}th,td{padding:3px 10px 3px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}
th[scope=row],thead th:first-child{text-align:left}
.legend{font-size:.9rem}.key{display:inline-block;width:.8em;height:.8em;margin:0 .2em 0 .8em}.key.first{background:var(--first);border-radius:50%;margin-left:0}.key.second{background:var(--second)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
code{font-size:.9em}
@media print{:root{--ink:#000;--paper:#fff;--card:#fff}body{max-width:none}details{display:none}.scroll{max-height:none;overflow:visible}}
`;
