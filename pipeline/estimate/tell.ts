import { plural, thousands } from "../thousands";
import type { Planned } from "./command";
import type { DataflowEstimate, MachineEstimate, Stage } from "./estimate";
import { UNITS } from "./prices";
import { ASSUMED, MEASURED, RATES } from "./rates";
import type { Shape, TableShape } from "./shape";

/** An estimate for people. */
export function told(planned: Planned): string {
  return [
    ...inputs(planned.shape),
    "",
    ...stages(planned.stages),
    "",
    onMachine(planned.machine),
    ...onDataflow(planned),
    storage(planned),
    "",
    ...notes(planned),
  ].join("\n");
}

/** Columns of equal width: the first to the left, the others to the right. */
export function columns(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join("  ")
      .trimEnd(),
  );
}

const UNITS_OF_BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];

export function size(bytes: number): string {
  const power = Math.min(UNITS_OF_BYTES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${UNITS_OF_BYTES[power]}`;
}

export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export const dollars = (amount: number | null): string => (amount === null ? "?" : `$${amount.toFixed(2)}`);
export const count = (n: number): string => thousands(Math.round(n));
const hours = (n: number): string => (n < 10 ? n.toFixed(2) : count(n));

function inputs({ impressions, actions, ...shape }: Shape): string[] {
  const line = ({ name, format, files, bytes, bytesRead, rows, counted }: TableShape) => [
    name,
    files === 0 ? "" : format,
    count(files),
    size(bytes),
    size(bytesRead),
    `${counted ? "" : "about "}${count(rows)}`,
  ];
  return [
    ...columns([["table", "format", "files", "listed", "read", "rows"], ...[impressions, ...actions].map(line)]),
    `about ${plural(shape.days, "day")}, ${plural(shape.rows, "row")} of output, ${plural(shape.customers, "customer")} shown, ${count(shape.customerDays)} histories of ${count(shape.meanHistory)} actions on average`,
  ];
}

function stages(all: readonly Stage[]): string[] {
  const cell = (bytes: number) => (bytes === 0 ? "" : size(bytes));
  const line = ({ name, bytesRead, bytesShuffled, bytesWritten, cpuSeconds, tasks }: Stage) => [
    name,
    cell(bytesRead),
    cell(bytesShuffled),
    cell(bytesWritten),
    cpuSeconds.toFixed(cpuSeconds < 10 ? 1 : 0),
    count(tasks),
  ];
  return columns([["stage", "reads", "shuffles", "writes", "CPU s", "tasks"], ...all.map(line)]);
}

function onMachine({ threads, seconds, memoryBytes, spilledBytes, cost }: MachineEstimate): string {
  const spilled = spilledBytes === 0 ? "nothing goes to disk" : `${size(spilledBytes)} go to --temp-dir`;
  const money = cost === undefined ? "" : `, ${dollars(cost)}`;
  return `One machine, ${plural(threads, "thread")}: ${duration(seconds)}, up to ${size(memoryBytes)} of memory, ${spilled}${money}.`;
}

function onDataflow({ dataflow, prices, region }: Planned): string[] {
  const { workers, machineType, seconds, vcpuHours, memoryGbHours, diskGbHours, shuffleGb, cost, total } = dataflow as DataflowEstimate;
  const line = (amount: number, price: number | null, unit: string, money: number | null) => [
    `  ${unit}`,
    hours(amount),
    price === null ? "x ?" : `x $${price}`,
    dollars(money),
  ];
  return [
    `Dataflow in ${region}, ${plural(workers, "worker")} of ${machineType}: ${duration(seconds)}, ${dollars(total)}.`,
    ...columns([
      line(vcpuHours, prices.vcpuHour, UNITS.vcpuHour, cost.vcpu),
      line(memoryGbHours, prices.memoryGbHour, UNITS.memoryGbHour, cost.memory),
      line(diskGbHours, prices.diskGbHour, UNITS.diskGbHour, cost.disk),
      line(shuffleGb, prices.shuffleGb, UNITS.shuffleGb, cost.shuffle),
    ]),
  ];
}

function storage({ storage: { gb, costPerMonth } }: Planned): string {
  return `Output: ${size(gb * 1e9)}, ${dollars(costPerMonth)} for each month in Cloud Storage.`;
}

function notes({ prices, region }: Planned): string[] {
  const unknown =
    prices.unknown.length === 0
      ? []
      : [
          `Prices of ${region} that are not known here: ${prices.unknown.join(", ")}. Take them from https://cloud.google.com/dataflow/pricing and give them with --prices.`,
        ];
  return [
    `Rates: measured ${MEASURED.date} on ${MEASURED.machine}; a worker of a runner takes ${RATES.workerFactor.toFixed(1)} times as long. Assumed, not measured: ${ASSUMED.startSeconds} s until workers work, and that they work ${100 * ASSUMED.busyShare}% of the time.`,
    `Prices: list, ${prices.currency}, as of ${prices.date}, without discounts, taxes, operations on objects and traffic between regions.`,
    ...unknown,
  ];
}
