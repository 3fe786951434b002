/** Of this package. */
export const VERSION = "0.1.0";

/** Of Parquet files, in the form that readers parse; the same for every run, since it is part of the bytes. */
export const CREATED_BY = `backstory version ${VERSION} (build 0)`;

/** What a figure of a run may depend on besides input and options: the rules of time zones come with Node. */
export const versions = () => ({ backstory: VERSION, node: process.versions.node, tz: tzVersion(), icu: process.versions.icu ?? "none" });

/** Of the time zone rules, such as 2025c. */
export const tzVersion = (): string => process.versions.tz ?? "unknown";
