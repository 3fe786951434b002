/** Runs a piece of a pipeline on the direct runner, with inputs from and outputs to this process's memory. */
import { create, directRunner, type PCollection, parDo, type Root, requireForSerialization, withName } from "../../beam/sdk";

const inputs = new Map<string, readonly unknown[]>();
const found = new Map<string, unknown[]>();

class Give {
  constructor(readonly name: string) {}
  *process(_: unknown) {
    yield* inputs.get(this.name)!;
  }
}

class Keep {
  constructor(readonly name: string) {}
  // biome-ignore lint/correctness/useYield: it has no output
  *process(element: unknown): Generator<never> {
    found.get(this.name)!.push(element);
  }
}
requireForSerialization("backstory/test/beam/collect", { Give, Keep });

/** A PCollection of these elements, whatever they are: they never leave memory. */
export function given<T>(root: Root, elements: readonly T[], name = "given"): PCollection<T> {
  inputs.set(name, elements);
  return root.apply(withName(`one ${name}`, create([0], false))).apply(withName(name, parDo(new Give(name)))) as PCollection<T>;
}

/** All elements of each of the PCollections that `build` makes. */
export async function collect<Outputs>(
  build: (root: Root) => { [Name in keyof Outputs]: PCollection<Outputs[Name]> },
): Promise<{ [Name in keyof Outputs]: Outputs[Name][] }> {
  await directRunner().run((root: Root) => {
    for (const [name, output] of Object.entries<PCollection<unknown>>(build(root))) {
      found.set(name, []);
      output.apply(withName(`keep ${name}`, parDo(new Keep(name))));
    }
  });
  return Object.fromEntries(found) as { [Name in keyof Outputs]: Outputs[Name][] };
}
