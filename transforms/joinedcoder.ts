import type { Writer } from "protobufjs";
import { ColumnsCoder } from "../beam/coders";
import {
  type Coder,
  type Context,
  globalRegistry,
  KVCoder,
  type PCollection,
  requireForSerialization,
  VarIntCoder,
  withCoderInternal,
  withName,
} from "../beam/sdk";
import { load, type MaybeSpilled } from "../beam/spill";
import type { Joined } from "./joined";
import { withOwnColumns } from "./joinedparts";

/** Parts of joins look at columns of a whole bucket. Within a process they share them; another process gets the rows that the part is about. */
export class JoinedCoder extends ColumnsCoder<MaybeSpilled<Joined>> {
  static override URN = "backstory:coder:joined:v1";

  override encode(element: MaybeSpilled<Joined>, writer: Writer, context: Context): void {
    super.encode(withOwnColumns(load(element)), writer, context);
  }

  override toProto() {
    return { spec: { urn: JoinedCoder.URN, payload: new Uint8Array() }, componentCoderIds: [] };
  }
}
globalRegistry().register(JoinedCoder.URN, JoinedCoder);

/** Says that a PCollection holds (number, part of a join). */
export const withJoined = withName("withJoined", (input: PCollection<{ key: number; value: MaybeSpilled<Joined> }>) =>
  input.apply(withCoderInternal(new KVCoder(new VarIntCoder() as unknown as Coder<number>, new JoinedCoder()))),
);

requireForSerialization("backstory/transforms/joinedcoder", exports);
