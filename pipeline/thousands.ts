/** A whole number as people read it: 1,000,098. Intl would say the same, and takes 10 ms to load. */
export const thousands = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, ",");

/** "1 file", "1,000 files". @param n a whole number, or one to be rounded */
export const plural = (n: number, word: string): string => `${thousands(Math.round(n))} ${word}${n === 1 ? "" : "s"}`;
