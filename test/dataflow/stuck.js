/** A worker that never asks what to do. It ends with whoever started it. */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit();
}, 100);
