#!/usr/bin/env node
/**
 * Draws the pipeline, as it goes to a runner, from its proto: npm run docs:graph writes docs/graph.svg.
 *
 * Composites are boxes. What groups is blue. A label at an edge is the coder; edges without one stay within a worker, where nothing is
 * encoded, since runners fuse the steps between groupings.
 */
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { instance } = require("@viz-js/viz");
const { deserializeFn } = require("apache-beam/internal/serialize");
const runnerApi = require("apache-beam/proto/beam_runner_api");

const COMBINE = "beam:transform:combine_per_key:v1";
const GROUP = "beam:transform:group_by_key:v1";
const FLATTEN = "beam:transform:flatten:v1";
const IMPULSE = "beam:transform:impulse:v1";

const nameOf = ({ uniqueName }) => uniqueName.split("/").at(-1);
const isCoder = (transform) => nameOf(transform).startsWith("withCoderInternal");
const isSplit = (transform) => nameOf(transform).startsWith("Split(");

/** What is drawn as one node: a step, or a composite that is one to the reader. */
function kindOf(transform, transforms) {
  const first = transforms[transform.subtransforms[0]];
  if (transform.spec?.urn === COMBINE) return "combine";
  if (nameOf(transform) === "coGroupByKey") return "cogroup";
  if (transform.spec?.urn === GROUP) return "group";
  if (transform.spec?.urn === FLATTEN) return "flatten";
  if (isCoder(transform) || isSplit(transform)) return "pass";
  if (first?.spec?.urn === IMPULSE) return "create";
  return first === undefined ? "step" : "composite";
}

function combineFnOf({ spec }) {
  return deserializeFn(runnerApi.CombinePayload.fromBinary(spec.payload).combineFn.payload).combineFn.constructor.name;
}

/** Nodes, boxes and edges, in the order of the graph. */
class Drawing {
  lines = [];
  /** by PCollection: the node that makes it, and the name of the output where it has several */
  makers = new Map();
  edges = [];

  constructor(components) {
    this.components = components;
  }

  add(id) {
    const transform = this.components.transforms[id];
    const kind = kindOf(transform, this.components.transforms);
    if (kind === "pass") this.pass(transform);
    else if (kind === "composite") this.box(id, transform);
    else this.node(id, transform, kind);
  }

  /** A box of one step is none: the step has its name then. */
  box(id, transform) {
    const before = this.lines.length;
    for (const each of transform.subtransforms) this.add(each);
    const nodes = this.lines.length - before;
    if (nodes === 1) this.lines[before] = this.lines[before].replace(/label="([^"\\]*).*?" /, `label="$1\\n${nameOf(transform)}" `);
    if (nodes < 2) return;
    this.lines.splice(before, 0, `subgraph "cluster_${id}" { label="${nameOf(transform)}"`);
    this.lines.push("}");
  }

  node(id, transform, kind) {
    const { label, style } = this.look(transform, kind);
    this.lines.push(`"${id}" [label="${label}" ${style}]`);
    const shuffled = this.shuffledBy(transform);
    for (const pc of new Set(Object.values(transform.inputs))) this.edges.push({ pc, to: id, coder: shuffled ?? pc });
    for (const pc of Object.values(transform.outputs)) this.makers.set(pc, { from: id });
  }

  look(transform, kind) {
    const name = nameOf(transform);
    const grouping = 'class="grouping" shape=box style="filled,bold" fillcolor="#dbe9f8" color="#2a5d9c"';
    if (kind === "combine") return { label: `CombinePerKey\\n${combineFnOf(transform)}`, style: grouping };
    if (kind === "cogroup") return { label: "CoGroupByKey", style: grouping };
    if (kind === "group") return { label: name === "groupByKey" ? "GroupByKey" : `GroupByKey\\n${name}`, style: grouping };
    if (kind === "flatten") return { label: name, style: 'shape=box style="rounded,dashed"' };
    if (kind === "create") return { label: name === "create" ? "Create" : `Create\\n${name}`, style: "shape=ellipse" };
    return { label: name, style: 'shape=box style="rounded,filled" fillcolor=white' };
  }

  /** The PCollection that is shuffled, for what groups. */
  shuffledBy(transform) {
    if (transform.spec?.urn === GROUP) return Object.values(transform.inputs)[0];
    const inner = transform.subtransforms.map((id) => this.components.transforms[id]).find(({ spec }) => spec?.urn === GROUP);
    return inner === undefined ? undefined : Object.values(inner.inputs)[0];
  }

  /** What only says a coder, or names outputs, is no node. */
  pass(transform) {
    const [input] = Object.values(transform.inputs);
    const { from, output } = this.makers.get(input);
    for (const [name, pc] of Object.entries(transform.outputs)) this.makers.set(pc, { from, output: isSplit(transform) ? name : output });
  }

  coderOf(pc) {
    return this.coder(this.components.pcollections[pc].coderId);
  }

  coder(id) {
    const { spec, componentCoderIds } = this.components.coders[id];
    const parts = componentCoderIds.map((each) => this.coder(each));
    if (spec.urn === "beam:coder:kv:v1") return parts.includes("") ? "" : `(${parts.join(", ")})`;
    if (spec.urn === "beam:coder:iterable:v1") return parts[0] === "" ? "" : `${parts[0]}*`;
    if (spec.urn === "beam:coder:varint:v1") return "int";
    return spec.urn.startsWith("backstory:coder:") ? spec.urn.split(":")[2] : "";
  }

  dot() {
    const edges = this.edges.map(({ pc, to, coder }) => {
      const { from, output } = this.makers.get(pc);
      const shuffled = coder !== pc || this.grouping(to);
      const label = [output, shuffled ? this.coderOf(coder) : ""]
        .filter(Boolean)
        .map((line) => `  ${line}`)
        .join("\\l");
      return `"${from}" -> "${to}" [label="${label}\\l"${shuffled ? ' penwidth=2 color="#2a5d9c"' : ""}]`;
    });
    return ["digraph {", ...STYLE, ...this.lines, ...edges, "}"].join("\n");
  }

  grouping(id) {
    return this.shuffledBy(this.components.transforms[id]) !== undefined;
  }
}

const STYLE = [
  'graph [rankdir=TB fontname="Helvetica" fontsize=12 bgcolor=white nodesep=0.25 ranksep=0.35 labeljust=l style="rounded,filled" fillcolor="#f6f6f3" color="#b9b9b0" newrank=true]',
  'node [fontname="Helvetica" fontsize=11 margin="0.12,0.06" height=0.3 color="#55554f"]',
  'edge [fontname="Helvetica" fontsize=9 color="#8a8a82" fontcolor="#44443f" arrowsize=0.6]',
];

/** @returns the picture of a pipeline, as SVG */
async function draw({ components, rootTransformIds }) {
  const drawing = new Drawing(components);
  // the whole is one composite: its box would be the picture's frame
  for (const root of rootTransformIds) for (const id of components.transforms[root].subtransforms) drawing.add(id);
  const svg = (await instance()).renderString(drawing.dot(), { format: "svg" });
  return svg
    .slice(svg.indexOf("<svg"))
    .replace(/<!--.*?-->\n/g, "")
    .replace(
      /(<svg[^>]*)>/,
      `$1 role="img" aria-labelledby="title">\n<title id="title">The pipeline, step by step, as a runner gets it</title>`,
    );
}

/** The pipeline of the sample in examples/: no option changes the graph's shape. */
async function sample() {
  require("apache-beam");
  const { Pipeline } = require("apache-beam/internal/pipeline");
  const { Root } = require("apache-beam/pvalue");
  const { backstory } = require("backstory/pipeline/backstory");
  const { parseFlags } = require("backstory/pipeline/flags");
  const { BuildOptions } = require("backstory/pipeline/options");
  const { planRun } = require("backstory/pipeline/plan");
  const tables = ["impressions", "clicks", "add_to_carts", "previous_orders"];
  const flags = tables.map((name) => `--${name.replaceAll("_", "-")}=${join(__dirname, `../examples/otto/${name}.ndjson`)}`);
  const plan = await planRun(parseFlags(BuildOptions, [...flags, "--output=out"], 0).options, "run");
  const pipeline = new Pipeline();
  new Root(pipeline).apply(backstory(plan));
  return pipeline.getProto();
}

async function main() {
  writeFileSync(join(__dirname, "graph.svg"), await draw(await sample()));
}

module.exports = { draw };
if (require.main === module) main();
