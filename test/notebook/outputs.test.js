/** What counts as the same output. */
const { differences } = require("./outputs");

const stream = (text, name = "stdout") => ({ output_type: "stream", name, text });
const shown = (data, metadata = {}) => ({ output_type: "display_data", data, metadata });

function png(width, height) {
  const bytes = Buffer.alloc(33);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes.toString("base64");
}

test.each([
  ["equal texts", [stream("3 rows\n")], [stream("3 rows\n")]],
  ["lines as a list", [stream(["3 rows\n", "4 files"])], [stream("3 rows\n4 files")]],
  ["AUC and losses that are near", [stream("AUC 0.76, log loss 0.28")], [stream("AUC 0.74, log loss 0.31")]],
  ["sizes that are near", [stream("432,984 bytes, 0.48 MB")], [stream("401,112 bytes, 0.5 MB")]],
  [
    "pictures of one size",
    [shown({ "image/png": png(8, 4), "text/plain": "<Figure>" })],
    [shown({ "image/png": png(8, 4), "text/plain": "<Figure>" })],
  ],
  ["nothing", [], []],
])("%s are the same", (_, kept, got) => expect(differences(kept, got)).toEqual([]));

test.each([
  ["another text", [stream("3 rows")], [stream("4 rows")]],
  ["another stream", [stream("3 rows")], [stream("3 rows", "stderr")]],
  ["an AUC that is too far", [stream("AUC 0.76")], [stream("AUC 0.80")]],
  ["one figure too far of two", [stream("AUC 0.76\nAUC 0.50")], [stream("AUC 0.76\nAUC 0.40")]],
  ["a figure in the place of none", [stream("AUC none")], [stream("AUC 0.50")]],
  ["a size that is too far", [stream("432,984 bytes")], [stream("932,984 bytes")]],
  [
    "another table as HTML",
    [shown({ "text/html": "<td>1</td>", "text/plain": "1" })],
    [shown({ "text/html": "<td>2</td>", "text/plain": "1" })],
  ],
  ["a picture of another size", [shown({ "image/png": png(8, 4) })], [shown({ "image/png": png(8, 5) })]],
  [
    "a picture with another description",
    [shown({ "image/png": png(8, 4) }, { alt: "a" })],
    [shown({ "image/png": png(8, 4) }, { alt: "b" })],
  ],
  ["no picture", [shown({ "image/png": png(8, 4), "text/plain": "<Figure>" })], [shown({ "text/plain": "<Figure>" })]],
  ["an output less", [stream("a"), shown({})], [stream("a")]],
])("%s is a difference", (_, kept, got) => expect(differences(kept, got)).toHaveLength(1));
