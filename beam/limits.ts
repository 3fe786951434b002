/**
 * Bytes of an element that crosses a grouping, at most, as its columns lie in memory: a runner sorts elements in buffers of some tens of MB,
 * and sends them in messages. Only what cannot be cut (one ranking, the figures of all rows) may be more.
 */
export const ELEMENT_BYTES = 4 << 20;

/** Of what is combined before a shuffle: an accumulator that is handed on with more than this has had room for one input more. */
export const INPUT_BYTES = ELEMENT_BYTES / 2;
