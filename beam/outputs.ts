import { ColumnsCoder } from "./coders";
import { type Coder, type PCollection, split, withCoderInternal, withName } from "./sdk";

/** An element for one of several outputs: an object with exactly one of the fields. */
export type OneOf<Outputs> = { [Name in keyof Outputs]: { [Only in Name]: Outputs[Name] } }[keyof Outputs];

export type OutputsOf<Outputs> = { [Name in keyof Outputs]: PCollection<Outputs[Name]> };

/** The outputs of a step that has several, by name. */
export function outputs<Outputs>(names: (keyof Outputs & string)[]) {
  return withName("outputs", (input: PCollection<OneOf<Outputs>>): OutputsOf<Outputs> => {
    const tagged = input.apply(withCoderInternal(new ColumnsCoder() as Coder<OneOf<Outputs>>));
    // biome-ignore lint/suspicious/noExplicitAny: the SDK's type wants every field in every element
    return tagged.apply(split<any>(names)) as OutputsOf<Outputs>;
  });
}
