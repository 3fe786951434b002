/** The slow suite runs some files of the fast one again (jest.slow.config.js), on more random cases and with what is large. */
export const SLOW = process.env.SUITE === "slow";
/** A test of the slow suite alone, in a file that both run. */
export const slowTest = SLOW ? test : test.skip;
