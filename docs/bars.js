const WIDTH = 760;
const LEFT = 240;
const RIGHT = 150;
const BAR = 22;

/** An SVG of horizontal bars from zero to the longest: { label, note, value, own }. */
function bars(title, entries) {
  const most = Math.max(...entries.map(({ value }) => value));
  const height = 40 + entries.length * BAR;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13">
  <title id="title">${title}</title>
  <style>
    text { fill: #1f2328 } .dim { fill: #59636e } .peer { fill: #afb8c1 } .own { fill: #0969da }
    @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .dim { fill: #9198a1 } .peer { fill: #656c76 } .own { fill: #4493f8 } }
  </style>
  <text class="dim" x="16" y="22">${title}.</text>
  ${entries.map((entry, i) => bar(entry, 32 + i * BAR, most)).join("\n  ")}
</svg>
`;
}

function bar({ label, note, value, own }, y, most) {
  const width = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT));
  return `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${label}</text><rect class="${own ? "own" : "peer"}" x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 6}" rx="2"/><text class="dim" x="${(LEFT + width + 6).toFixed(1)}" y="${y + 14}">${note}</text>`;
}

module.exports = { bars };
