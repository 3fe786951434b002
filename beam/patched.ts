import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SDK = "apache-beam";
/** where patch-package writes down what it has applied */
const STATE = ".patch-package.json";

interface State {
  patches: { patchFilename: string; didApply: boolean }[];
}

/**
 * The SDK as published loses data (docs/sdk.md), so nothing runs on it. Installers that run no scripts leave it so.
 * @param patches folder of the patches that must have been applied
 * @param sdk folder of the installed package
 * @throws Error: how to patch it
 */
export function checkPatches(patches: string, sdk: string): void {
  const wanted = existsSync(patches) ? readdirSync(patches).filter((name) => name.startsWith(`${SDK}+`)) : [];
  const applied = appliedTo(sdk);
  const missing = wanted.filter((name) => !applied.has(name)).sort();
  if (missing.length > 0)
    throw Object.assign(
      new Error(
        `the Beam SDK in ${sdk} is not patched (${missing[0]}), so it would lose data. Run node ${join(patches, "apply.js")}, which an installation does unless its scripts are off.`,
      ),
      { exitCode: 1 },
    );
}

function appliedTo(sdk: string): Set<string> {
  const path = join(sdk, STATE);
  if (!existsSync(path)) return new Set();
  const { patches } = JSON.parse(readFileSync(path, "utf8")) as State;
  return new Set(patches.filter(({ didApply }) => didApply).map(({ patchFilename }) => patchFilename));
}

/** The SDK that this package gets: its modules are in dist/src/apache_beam. */
const sdkFolder = () => join(dirname(require.resolve("apache-beam/pvalue")), "..", "..", "..");

checkPatches(join(dirname(require.resolve("backstory/package.json")), "patches"), sdkFolder());
