import { requireForSerialization } from "./sdk";

/** (key, value) to value. */
export class Value<T> {
  *process({ value }: { key: number; value: T }) {
    yield value;
  }
}

/** (key, values) to values. */
export class Values<T> {
  *process({ value }: { key: number; value: Iterable<T> }) {
    yield* value;
  }
}

/** A value to an object that has it under a name. */
export class Named<T> {
  constructor(readonly name: string) {}

  *process(value: unknown) {
    yield { [this.name]: value } as T;
  }
}

requireForSerialization("backstory/beam/elements", exports);
