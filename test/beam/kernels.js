/** Kernels for the tests of threads: a thread loads this file by its path. */

/** Emits the numbers below n. */
async function count({ n }, emit) {
  for (let i = 0; i < n; i++) await emit(i);
}

async function fail({ name, message, exitCode, code }) {
  throw Object.assign(new Error(message), { name, exitCode, code });
}

/** Waits until another thread sets the flag. */
async function wait({ flag }, emit) {
  Atomics.wait(flag, 0, 0);
  await emit("woken");
}

async function exit({ code }) {
  process.exit(code);
}

/** An error that no kernel's promise tells of. */
async function crash({ message }) {
  setImmediate(() => {
    throw new Error(message);
  });
  await new Promise(() => {});
}

/** Sets all numbers to 7: seen by the caller only where the memory is shared. */
async function mark({ numbers }) {
  numbers.fill(7);
}

/** Which thread this is. */
async function whoami(_, emit) {
  await emit(require("node:worker_threads").threadId);
}

module.exports = { whoami, count, fail, wait, exit, crash, mark };
