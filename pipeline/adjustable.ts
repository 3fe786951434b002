/** Settings that tests may change for a while, such as limits of time, which they cannot wait for. */
export function adjustable<Settings extends object>(defaults: Settings) {
  let current = defaults;
  return {
    get: (): Settings => current,
    /** @returns what puts the old ones back */
    use(changed: Partial<Settings>): () => void {
      const before = current;
      current = { ...before, ...changed };
      return () => {
        current = before;
      };
    },
  };
}
