/** backstory as a library: the transforms, to be applied to PCollections of one's own, and the whole build on files. */
export { type CoGrouped, coGroupByKey, type KV } from "../beam/cogroup";
export type { Cell } from "../transforms/cells";
export { EpochDay, Moment } from "../transforms/cells";
export { buildHistories } from "../transforms/histories";
export { buildTrainingInputs, type EventStreams, type TrainingInputs, type TrainingOptions, type TrainingRow } from "../transforms/inputs";
export type { Joined } from "../transforms/join";
export type { Ledger, TableCounts } from "../transforms/ledger";
export { measure } from "../transforms/measure";
export { Metrics, type MetricsReport } from "../transforms/metrics";
export { keepRecent, RecentActions, type Timelines } from "../transforms/recent";
export { type InputRow, normaliseRows, type RejectedRow } from "../transforms/rows";
export { type ActionTable, DEFAULT_RULES, DEFAULT_TABLES, type Rules } from "../transforms/rules";
export { withinWindow } from "../transforms/window";
export { ConfigError, PublishError } from "./errors";
export { BrokenFile } from "./io/rows";
export { BuildOptions } from "./options";
export type { Outcome } from "./publish";
export { build, submit } from "./run";
