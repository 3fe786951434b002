import type { MemoryPlan } from "../memory";
import { BASE_BYTES, THREAD_BYTES } from "../memory";
import type { Machine } from "./machinetype";
import type { Prices } from "./prices";
import { ASSUMED, of, RATES, secondsOf, type Work } from "./rates";
import type { Shape, TableShape } from "./shape";

/** What a stage does. Bytes are of files where they are read and written, and as encoded where they are shuffled. */
export interface Stage {
  name: string;
  bytesRead: number;
  bytesShuffled: number;
  bytesWritten: number;
  /** processor time on the direct runner */
  cpuSeconds: number;
  /** parts of the stage that can be at work at the same time; the runner's own work is one */
  tasks: number;
}

export interface MachineEstimate {
  threads: number;
  seconds: number;
  /** what the run allows itself to take */
  memoryBytes: number;
  /** of what is held, on disk for want of memory */
  spilledBytes: number;
  /** undefined where a price is not known, or nobody asked about a machine of the list */
  cost?: number;
}

export interface DataflowEstimate {
  workers: number;
  machineType: string;
  vcpus: number;
  seconds: number;
  vcpuHours: number;
  memoryGbHours: number;
  diskGbHours: number;
  /** written to Dataflow Shuffle and read from it */
  shuffleGb: number;
  /** by what is paid for; null where the price is not known */
  cost: Record<"vcpu" | "memory" | "disk" | "shuffle", number | null>;
  /** null where one of them is */
  total: number | null;
}

export interface Estimate {
  shape: Shape;
  stages: Stage[];
  machine: MachineEstimate;
  dataflow: DataflowEstimate;
  /** of the output, for each month that it is kept */
  storage: { gb: number; costPerMonth: number | null };
}

/** The place it could run in. */
export interface Setup {
  memory: MemoryPlan;
  /** of which `memory` is a part, if it is one whose price is asked for */
  ownMachine?: Machine;
  workerMachineType: string;
  worker: Machine;
  /** undefined where the estimate is to say */
  numWorkers?: number;
  maxNumWorkers?: number;
  diskSizeGb: number;
  prices: Prices;
}

/** Work of a job on Dataflow should take so long where nobody says how many workers: longer than their start, short enough to wait for. */
const TARGET_SECONDS = 600;
/** Of the customers shown in the index of a scan; see scansplit.ts. */
const SHOWN_BYTES = 64;
/** See actionSplits in backstory.ts. */
const SPLIT_GROUPS = 64;
const GB = 1e9;

/** Units of work in a shape. */
export function workOf(shape: Shape): Work {
  return {
    runs: 1,
    rows: shape.rows,
    actions: shape.actions.reduce((sum, { rows }) => sum + rows, 0),
    keptActions: shape.keptActions,
    historyActions: shape.customerDays * shape.meanHistory,
    customerGroups: shape.customers * Math.min(SPLIT_GROUPS, Math.max(1, shape.layout.actionSplits)),
  };
}

/** Of a type beside an item of a history. */
const TYPE_BYTES = 0.25;

/** Bytes of shuffled and written columns, where items are not of the size that was measured. */
function bytesOf(shape: Shape, work: Work): Record<"shown" | "actions" | "recent" | "histories" | "output", number> {
  const { bytes, itemBytes } = RATES;
  const more = work.keptActions * (shape.itemBytes - itemBytes);
  const longer = (shape.itemBytes + TYPE_BYTES) / (itemBytes + TYPE_BYTES);
  const scaled = { ...work, historyActions: work.historyActions * longer };
  return {
    shown: of(bytes.shown.encoded, work),
    actions: Math.max(0, of(bytes.actions.encoded, work) + more),
    recent: Math.max(0, of(bytes.recent.encoded, work) + more),
    histories: of(bytes.histories.encoded, scaled),
    output: of(bytes.output, scaled),
  };
}

/** Bytes read, shuffled and written and processor time, stage by stage, by the measured rates. */
export function stagesOf(shape: Shape): Stage[] {
  const work = workOf(shape);
  const { seconds } = RATES;
  const bytes = bytesOf(shape, work);
  const { layout, impressions, actions, days } = shape;
  const read = (tables: readonly TableShape[]) => tables.reduce((sum, table) => sum + table.bytesRead, 0);
  const scan = actions.reduce((sum, { rows, format }) => sum + rows * secondsOf(seconds.scanActions, format), 0);
  const none = { bytesRead: 0, bytesShuffled: 0, bytesWritten: 0 };
  const stages: Stage[] = [
    {
      ...none,
      name: "scanRankings",
      bytesRead: read([impressions]),
      bytesShuffled: bytes.shown,
      cpuSeconds: work.rows * secondsOf(seconds.scanRankings, impressions.format),
      tasks: layout.rankingSplits,
    },
    {
      ...none,
      name: "scanActions",
      bytesRead: read(actions),
      bytesShuffled: bytes.actions,
      cpuSeconds: scan,
      tasks: Math.min(SPLIT_GROUPS, layout.actionSplits),
    },
    {
      ...none,
      name: "combine",
      bytesShuffled: bytes.recent,
      cpuSeconds: of(seconds.combine, work),
      tasks: layout.buckets,
    },
    {
      ...none,
      name: "join",
      bytesShuffled: bytes.histories,
      cpuSeconds: of(seconds.join, work),
      tasks: layout.buckets,
    },
    { ...none, name: "measure", cpuSeconds: of(seconds.measure, work), tasks: layout.buckets },
    {
      ...none,
      name: "write",
      bytesWritten: bytes.output,
      cpuSeconds: of(seconds.write, work),
      tasks: layout.shards * days,
    },
    { ...none, name: "runner", cpuSeconds: of(seconds.runner, work), tasks: 1 },
  ];
  return stages.map((stage) => ({ ...stage, tasks: Math.max(1, stage.tasks) }));
}

/** The thread of the direct runner does these; all threads do the others. */
const RUNNER_THREAD = ["combine", "runner"];

function machineOf(shape: Shape, stages: readonly Stage[], { memory, ownMachine, prices }: Setup): MachineEstimate {
  const { threads, room } = memory;
  const own = stages.filter(({ name }) => RUNNER_THREAD.includes(name)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const shared = stages.filter(({ name }) => !RUNNER_THREAD.includes(name));
  const seconds = own + shared.reduce((sum, { cpuSeconds, tasks }) => sum + cpuSeconds / Math.min(threads, tasks), 0);
  const held = heldBytes(shape, room.bytes * (threads + 1));
  const price =
    ownMachine === undefined || prices.machineVcpuHour === null || prices.machineMemoryGbHour === null
      ? undefined
      : ownMachine.vcpus * prices.machineVcpuHour + ownMachine.memoryGb * prices.machineMemoryGbHour;
  return {
    threads,
    seconds,
    memoryBytes: BASE_BYTES + threads * THREAD_BYTES + held.inMemory,
    spilledBytes: held.spilled,
    ...(price === undefined ? {} : { cost: (price * seconds) / 3600 }),
  };
}

/** What waits for a grouping; each kind has `room` of its own, and what is beyond it goes to disk. The index of the customers is left out instead. */
function heldBytes(shape: Shape, room: number): { inMemory: number; spilled: number } {
  const work = workOf(shape);
  const { recent, histories } = RATES.bytes;
  const waiting = [of(recent.inMemory, work), of(histories.inMemory, work)];
  const shown = SHOWN_BYTES * shape.customers;
  return {
    inMemory: waiting.reduce((sum, bytes) => sum + Math.min(bytes, room), shown <= room ? shown : 0),
    spilled: waiting.reduce((sum, bytes) => sum + Math.max(0, bytes - room), 0),
  };
}

/** Worker time of a job, without its start, on so many vCPUs. */
function workSeconds(stages: readonly Stage[], vcpus: number): number {
  const work = stages.filter(({ name }) => name !== "runner");
  const cpu = work.reduce((sum, { cpuSeconds, tasks }) => sum + cpuSeconds / Math.min(vcpus, tasks), 0);
  return (cpu * RATES.workerFactor) / ASSUMED.busyShare;
}

function workersFor(stages: readonly Stage[], { vcpus }: Machine): number {
  const most = Math.max(1, Math.ceil(Math.max(...stages.map(({ tasks }) => tasks)) / vcpus));
  let workers = 1;
  while (workers < most && workSeconds(stages, workers * vcpus) > TARGET_SECONDS) workers++;
  return workers;
}

function dataflowOf(stages: readonly Stage[], setup: Setup): DataflowEstimate {
  const { worker, workerMachineType, diskSizeGb, prices } = setup;
  const workers = setup.numWorkers ?? Math.min(setup.maxNumWorkers ?? Number.POSITIVE_INFINITY, workersFor(stages, worker));
  const vcpus = workers * worker.vcpus;
  const seconds = ASSUMED.startSeconds + workSeconds(stages, vcpus);
  const hours = seconds / 3600;
  const shuffled = stages.reduce((sum, { bytesShuffled }) => sum + bytesShuffled, 0);
  const used = {
    vcpuHours: vcpus * hours,
    memoryGbHours: workers * worker.memoryGb * hours,
    diskGbHours: workers * diskSizeGb * hours,
    shuffleGb: (2 * shuffled) / GB,
  };
  const cost = {
    vcpu: times(used.vcpuHours, prices.vcpuHour),
    memory: times(used.memoryGbHours, prices.memoryGbHour),
    disk: times(used.diskGbHours, prices.diskGbHour),
    shuffle: times(used.shuffleGb, prices.shuffleGb),
  };
  return { workers, machineType: workerMachineType, vcpus, seconds, ...used, cost, total: total(Object.values(cost)) };
}

const times = (amount: number, price: number | null): number | null => (price === null ? null : amount * price);
const total = (costs: (number | null)[]): number | null =>
  costs.reduce((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);

/** What a run would take, on one machine and on Dataflow. */
export function estimate(shape: Shape, setup: Setup): Estimate {
  const stages = stagesOf(shape);
  const gb = stages.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0) / GB;
  return {
    shape,
    stages,
    machine: machineOf(shape, stages, setup),
    dataflow: dataflowOf(stages, setup),
    storage: { gb, costPerMonth: times(gb, setup.prices.storageGbMonth) },
  };
}
