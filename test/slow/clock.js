// Loaded into a process of a test by NODE_OPTIONS: its clock stands still, long ago.
const then = Date.UTC(2001, 0, 1);
globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [then] : args));
  }
  static now() {
    return then;
  }
};
