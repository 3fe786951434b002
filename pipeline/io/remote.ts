import { isGcs } from "../gcs/uri";

/** Whether a path is of a bucket, not of this machine. */
export const isRemote = isGcs;

/** What reads from buckets, loaded with the first path that asks for it. */
export const remoteSource = () => require("../gcs/source") as typeof import("../gcs/source");
export const remoteFile = () => require("../gcs/file") as typeof import("../gcs/file");
export const remoteFind = () => require("../gcs/find") as typeof import("../gcs/find");
export const remoteObjects = () => require("../gcs/objects") as typeof import("../gcs/objects");
export const remoteRange = () => require("../gcs/range") as typeof import("../gcs/range");
export const remoteUri = () => require("../gcs/uri") as typeof import("../gcs/uri");
export const remoteBucket = () => require("../gcs/bucket") as typeof import("../gcs/bucket");
