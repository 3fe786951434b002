import type { ColumnChunk, RowGroup, SchemaTree } from "hyparquet";
import type { Cell } from "../../transforms/cells";
import { LeafColumn } from "./parquetcolumn";
import type { ParquetFile } from "./parquetfile";
import { NOT_UTF8 } from "./parquettypes";
import { BrokenFile } from "./rows";

/**
 * One top-level column of a row group, row by row: a plain value, or lists and structs put together from their leaves by
 * definition and repetition levels. Lists are read in the three-level form and in the older ones of parquet-format's
 * LogicalTypes.md, "Backward-compatibility rules".
 */
export class NestedColumn {
  /** false where the row taken last has text in it that is not UTF-8 */
  legible = true;
  private readonly leaves: LeafColumn[] = [];
  private readonly part: Part;

  /** @param where for messages: which row group of which file */
  static async open(parquet: ParquetFile, root: SchemaTree, node: SchemaTree, group: RowGroup, where: string): Promise<NestedColumn> {
    const chunks = new Map<string, ArrayBuffer>();
    for (const chunk of group.columns) {
      const path = chunk.meta_data?.path_in_schema ?? [];
      if (path[0] === node.element.name) chunks.set(path.join("\0"), await readChunk(parquet, chunk, where));
    }
    return new NestedColumn(root, node, group, chunks, where);
  }

  private constructor(
    root: SchemaTree,
    node: SchemaTree,
    private readonly group: RowGroup,
    private readonly chunks: Map<string, ArrayBuffer>,
    private readonly where: string,
  ) {
    this.part = this.nodePart([root, node], { definition: 0, repetition: 0 });
  }

  /** True where all rows have been taken, as far as the values tell. */
  get ended(): boolean {
    return this.leaves.every((leaf) => leaf.ended);
  }

  take(): Cell {
    this.legible = true;
    return this.part.take();
  }

  private nodePart(path: SchemaTree[], outer: Levels): Part {
    const node = path[path.length - 1];
    const levels = levelsOf(node, outer);
    const body = this.bodyPart(path, levels);
    if (node.element.repetition_type === "REPEATED") return repeated(body, levels);
    return node.children.length > 0 && node.element.repetition_type === "OPTIONAL" ? optional(body, levels) : body;
  }

  /** A node as if it were required. */
  private bodyPart(path: SchemaTree[], levels: Levels): Part {
    const node = path[path.length - 1];
    if (node.children.length === 0) return this.leafPart(path, levels);
    if (!isList(node)) return struct(node, (child) => this.nodePart([...path, child], levels));
    const [list] = node.children;
    const inner = levelsOf(list, levels);
    const element = isElement(list, node) ? this.bodyPart([...path, list], inner) : this.nodePart([...path, list, list.children[0]], inner);
    return repeated(element, inner);
  }

  private leafPart(path: SchemaTree[], levels: Levels): Part {
    const names = path.slice(1).map((node) => node.element.name);
    const metadata = this.group.columns.find((chunk) => chunk.meta_data?.path_in_schema.join("\0") === names.join("\0"))?.meta_data;
    const bytes = this.chunks.get(names.join("\0"));
    const where = `${this.where}, column ${names.join(".")}`;
    if (!metadata || !bytes) throw new BrokenFile(`${where} is missing.`);
    const { element } = path[path.length - 1];
    const leaf = new LeafColumn({ element, metadata, maxDefinition: levels.definition, maxRepetition: levels.repetition }, bytes, where);
    this.leaves.push(leaf);
    return { leaves: [leaf], take: () => this.checked(leaf.take()) };
  }

  private checked(cell: Cell): Cell {
    if (cell === NOT_UTF8) this.legible = false;
    return cell;
  }
}

/** How much of the nesting is there (definition) or begun anew (repetition) at most within a node. */
export interface Levels {
  definition: number;
  repetition: number;
}

export function levelsOf({ element }: SchemaTree, outer: Levels): Levels {
  return {
    definition: outer.definition + (element.repetition_type === "REQUIRED" ? 0 : 1),
    repetition: outer.repetition + (element.repetition_type === "REPEATED" ? 1 : 0),
  };
}

/** Takes a node's next value from the leaves below it. All leaves of a part stand at the same place. */
interface Part {
  leaves: LeafColumn[];
  take(): Cell;
}

function struct(node: SchemaTree, partOf: (child: SchemaTree) => Part): Part {
  const members = node.children.map((child) => ({ name: child.element.name, part: partOf(child) }));
  const take = () => {
    const cells: { [name: string]: Cell } = {};
    for (const { name, part } of members) cells[name] = part.take();
    return cells;
  };
  return { leaves: members.flatMap(({ part }) => part.leaves), take };
}

function optional(part: Part, { definition }: Levels): Part {
  const { leaves } = part;
  return { leaves, take: () => (leaves[0].definition < definition ? passOver(leaves) : part.take()) };
}

function repeated(part: Part, { definition, repetition }: Levels): Part {
  const { leaves } = part;
  const [first] = leaves;
  const take = () => {
    const cells: Cell[] = [];
    if (first.definition < definition) passOver(leaves);
    else {
      do cells.push(part.take());
      while (!first.ended && first.repetition === repetition);
    }
    return cells;
  };
  return { leaves, take };
}

/** What is null or empty has one entry in each leaf. */
function passOver(leaves: LeafColumn[]): null {
  for (const leaf of leaves) leaf.take();
  return null;
}

export function isList({ element, children }: SchemaTree): boolean {
  const isAnnotated = element.logical_type?.type === "LIST" || element.converted_type === "LIST";
  return isAnnotated && children.length === 1 && children[0].element.repetition_type === "REPEATED";
}

/** Whether the repeated node in a LIST is the element itself (two levels) or only stands around it (three). */
export function isElement({ element, children }: SchemaTree, list: SchemaTree): boolean {
  return children.length !== 1 || element.name === "array" || element.name === `${list.element.name}_tuple`;
}

/** A column chunk, whole. */
export async function readChunk(parquet: ParquetFile, chunk: ColumnChunk, where: string): Promise<ArrayBuffer> {
  const { data_page_offset, dictionary_page_offset, total_compressed_size } = chunk.meta_data!;
  // some writers leave the dictionary's offset 0
  const start = dictionary_page_offset && dictionary_page_offset < data_page_offset ? dictionary_page_offset : data_page_offset;
  if (chunk.file_path) throw new BrokenFile(`${where} is in another file, which cannot be read.`);
  try {
    return await parquet.slice(Number(start), Number(start + total_compressed_size));
  } catch (error) {
    if (error instanceof RangeError) throw new BrokenFile(`${where}: ${error.message}.`);
    throw error;
  }
}
