#!/usr/bin/env node
/** Takes what no module of ours loads out of a lock file: leaveout.js package-lock.json */
const { readFileSync, writeFileSync } = require("node:fs");

const UNUSED = {
  "apache-beam": {
    "@google-cloud/pubsub": "only its own io loads it",
    "@protobuf-ts/plugin": "for its build",
    chai: "for its tests",
    "date-fns": "nowhere loaded",
    "ts-closure-transform": "for its build",
    ttypescript: "for its build",
  },
};

function leaveOut(lock) {
  for (const [name, unused] of Object.entries(UNUSED)) {
    const { dependencies } = lock.packages[`node_modules/${name}`];
    for (const each of Object.keys(unused)) {
      if (dependencies[each] === undefined) throw new Error(`${name} does not depend on ${each}. Take it out of deploy/leaveout.js.`);
      delete dependencies[each];
    }
  }
  return lock;
}

const path = process.argv[2];
writeFileSync(path, JSON.stringify(leaveOut(JSON.parse(readFileSync(path, "utf8"))), null, 2));
