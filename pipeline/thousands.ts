/** A whole number as people read it: 1,000,098. Intl would say the same, and takes 10 ms to load. */
export const thousands = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, ",");
