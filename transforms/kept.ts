/**
 * Columns that a thread keeps and uses again, because fresh memory has to be cleared each time. They lie in shared memory though nobody
 * shares them: V8 counts what an ArrayBuffer holds as heap, but its limit follows from objects alone, so that 30 MB kept would bring a
 * full collection every few megabytes.
 */
export const keptBytes = (n: number) => new Uint8Array(new SharedArrayBuffer(n));
export const keptInts = (n: number) => new Int32Array(new SharedArrayBuffer(4 * n));
export const keptFloats = (n: number) => new Float64Array(new SharedArrayBuffer(8 * n));
export const keptIds = (n: number) => new BigInt64Array(new SharedArrayBuffer(8 * n));
