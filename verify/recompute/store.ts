import type { RawFile } from "../inputs/cells";
import type { Action } from "../inputs/tables";
import type { ActionTable } from "../rules";

/** Actions by column, since all those of an input as objects would be more than fits. Each has a number, in the order of their coming. */
export class ActionStore {
  count = 0;
  times = new Float64Array(1024);
  items = new BigInt64Array(1024);
  /** own days */
  days = new Int32Array(1024);
  types = new Uint8Array(1024);
  private files = new Int32Array(1024);
  private positions = new Float64Array(1024);
  private readonly tables: ActionTable[] = [];
  private readonly allFiles: RawFile[] = [];

  /** @returns the action's number */
  push({ table, time, item, day, file, position }: Action): number {
    if (this.count === this.times.length) this.grow();
    const i = this.count++;
    this.times[i] = time;
    this.items[i] = item;
    this.days[i] = day;
    this.types[i] = table.type;
    this.tables[table.type] = table;
    if (this.allFiles.at(-1) !== file) this.allFiles.push(file);
    this.files[i] = this.allFiles.length - 1;
    this.positions[i] = position;
    return i;
  }

  at(i: number): Action {
    const [file, table] = [this.allFiles[this.files[i]], this.tables[this.types[i]]];
    return { table, item: this.items[i], time: this.times[i], day: this.days[i], file, position: this.positions[i] };
  }

  private grow(): void {
    const larger = <Column extends Float64Array | BigInt64Array | Int32Array | Uint8Array>(column: Column): Column => {
      const twice = new (column.constructor as new (length: number) => Column)(2 * column.length);
      (twice as Uint8Array).set(column as Uint8Array);
      return twice;
    };
    this.times = larger(this.times);
    this.items = larger(this.items);
    this.days = larger(this.days);
    this.types = larger(this.types);
    this.files = larger(this.files);
    this.positions = larger(this.positions);
  }
}
