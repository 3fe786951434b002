/** Whether outputs of a cell are those that the notebook keeps. */

/** Figures that may differ a little, each the first group of its pattern: those of a model with the BLAS, sizes with the libraries that compress. */
const LOOSE = [
  { pattern: /\bAUC (\d\.\d+)/g, within: () => 0.03 },
  { pattern: /\bloss (\d\.\d+)/g, within: () => 0.03 },
  { pattern: /\b([\d,]+(?:\.\d+)?) (?:MB|bytes)\b/g, within: (kept) => 0.25 * kept + 0.1 },
];

/** A text without its loose figures, and these. */
function split(text) {
  const figures = [];
  const rest = LOOSE.reduce(
    (left, { pattern, within }) =>
      left.replace(pattern, (whole, figure) => {
        figures.push({ value: Number(figure.replaceAll(",", "")), within });
        return whole.replace(figure, "~");
      }),
    text,
  );
  return { rest, figures };
}

function sameText(kept, got) {
  const [a, b] = [split(kept), split(got)];
  return a.rest === b.rest && a.figures.every(({ value, within }, at) => Math.abs(value - b.figures[at].value) <= within(value) + 1e-9);
}

const joined = (text) => (Array.isArray(text) ? text.join("") : text);

/** Width and height of a PNG in base64: the first fields of its first chunk. */
function sizeOf(png) {
  const bytes = Buffer.from(joined(png), "base64");
  return `${bytes.readUInt32BE(16)} x ${bytes.readUInt32BE(20)}`;
}

/** What an output is besides what it says. */
function kindOf({ output_type, name, data, metadata }) {
  const png = data?.["image/png"];
  return JSON.stringify([output_type, name, data && Object.keys(data).sort(), metadata, png && sizeOf(png)]);
}

const textsOf = ({ text, data = {} }) =>
  Object.entries({ ...(text && { text }), ...data })
    .filter(([type]) => !type.startsWith("image/"))
    .map(([, value]) => joined(value));

/** @returns what differs, one message each: nothing where the outputs are the same */
function differences(kept, got) {
  if (kept.length !== got.length) return [`${kept.length} outputs are kept, ${got.length} came`];
  return kept.flatMap((output, at) => {
    const [a, b] = [kindOf(output), kindOf(got[at])];
    if (a !== b) return [`kept ${a}, came ${b}`];
    const texts = textsOf(got[at]);
    return textsOf(output).flatMap((text, of) => (sameText(text, texts[of]) ? [] : [`kept\n${text}\ncame\n${texts[of]}`]));
  });
}

module.exports = { differences, joined };
