const { seconds, short } = require("./figures");
const { workloadOf } = require("./workloads");

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 90;
const BAR = 22;
const STYLE = `text { fill: #1f2328 } .dim { fill: #59636e } .peer { fill: #afb8c1 } .own { fill: #0969da }
    @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .dim { fill: #9198a1 } .peer { fill: #656c76 } .own { fill: #4493f8 } }`;

/** results.svg: a panel for each size and format that has peers, each from zero to its slowest. The variants of a size are left to the tables. */
function chart({ workloads }) {
  let y = 34;
  const panels = [];
  for (const { title, entries } of panelsOf(workloads)) {
    panels.push(`<text x="16" y="${y + 14}" font-weight="600">${title}</text>`);
    y += 24;
    const most = Math.max(...entries.map((entry) => seconds(entry) ?? 0));
    for (const entry of inOrder(entries)) {
      panels.push(bar(entry, y, most));
      y += BAR;
    }
    y += 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13">
  <title id="title">Seconds that backstory and its peers take for the same job</title>
  <style>
    ${STYLE}
  </style>
  <text class="dim" x="16" y="22">Seconds for the same job, whole process; less is better. Each panel has its own scale.</text>
  ${panels.join("\n  ")}
</svg>
`;
}

const FORMATS = { ndjson: "NDJSON", parquet: "Parquet", csv: "CSV" };

function panelsOf(workloads) {
  const plain = workloads.filter(({ name }) => workloadOf(name).variant === undefined);
  return plain.flatMap(({ name, actions, entries }) => {
    const formats = [...new Set(entries.map(({ contestant }) => contestant.format))];
    return formats
      .map((format) => ({
        title: `${name}: ${(actions / 1e6).toLocaleString("en")} M actions from ${FORMATS[format]}`,
        entries: entries.filter(({ contestant }) => contestant.format === format),
      }))
      .filter((panel) => panel.entries.length > 1);
  });
}

/** Quickest first; those that did not end well last. */
const inOrder = (entries) => [...entries].sort((a, b) => (seconds(a) ?? Infinity) - (seconds(b) ?? Infinity));

function bar(entry, y, most) {
  const time = seconds(entry);
  const width = time === undefined ? 0 : Math.max(1, (time / most) * (WIDTH - LEFT - RIGHT));
  const own = entry.contestant.tool === "backstory";
  const label = `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end"${own ? ' font-weight="600"' : ""}>${entry.contestant.label}</text>`;
  const value = time === undefined ? "did not end well, see the table" : `${short(time)} s`;
  const shape =
    width === 0
      ? ""
      : `<rect class="${own ? "own" : "peer"}" x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 6}" rx="2"/>`;
  return `${label}${shape}<text class="dim" x="${(LEFT + width + 6).toFixed(1)}" y="${y + 14}">${value}</text>`;
}

module.exports = { chart };
