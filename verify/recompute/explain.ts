/** Why two histories of a (customer, dt) differ, in words. */
import type { Findings, Where } from "../findings";
import type { Action } from "../inputs/tables";
import { whyNotVisible } from "../output/histories";
import type { Rules } from "../rules";
import type { Zone } from "../zone";

/** An action of a history as found. */
export interface FoundAction {
  item?: bigint;
  type?: number;
  time?: number;
}

/** More are told by their number only. */
const TOLD = 5;

export interface Difference {
  found: FoundAction[];
  expected: Action[];
  /** of the customer, newest first */
  actions: { action: Action; isVisible: boolean }[];
  day: number;
  where: Where;
}

/** Adds a finding for each thing that is wrong with a history. */
export class Explainer {
  constructor(
    private readonly rules: Rules,
    private readonly zone: Zone,
    private readonly findings: Findings,
  ) {}

  explain(difference: Difference) {
    const { found, expected } = difference;
    const { extra, missing } = unmatched(found, expected);
    if (extra.length === 0 && missing.length === 0) return this.order(difference);
    const free = [...missing];
    let told = 0;
    for (const position of extra) {
      if (told++ >= TOLD) break;
      this.extra(difference, position, free);
    }
    for (const position of free.slice(0, TOLD)) this.missing(difference, position);
    const more = Math.max(0, extra.length - TOLD) + Math.max(0, free.length - TOLD);
    if (more > 0) this.findings.add("more of the same", `${more} other actions of this history differ`, difference.where);
  }

  /** Something is there that does not belong there: as much as can be said of it. */
  private extra(difference: Difference, position: number, missing: number[]) {
    const { found, expected, day } = difference;
    const action = found[position];
    const twin = missing.find((at) => at === position && (expected[at].item === action.item || expected[at].table.type === action.type));
    if (twin !== undefined) missing.splice(missing.indexOf(twin), 1);
    const add = (kind: string, message: string, input?: Action) =>
      this.findings.add(
        kind,
        message,
        { ...difference.where, position, ...inputOf(input) },
        { found: action, expected: valuesOf(expected[position]) },
      );
    if (twin !== undefined && expected[twin].item === action.item && expected[twin].table.type !== action.type)
      return add("wrong type", "the action has another type in the inputs", expected[twin]);
    if (twin !== undefined && expected[twin].item === action.item)
      return add("wrong time", "the action has another time in the inputs", expected[twin]);
    const hidden = difference.actions.find((known) => !known.isVisible && matches(action, known.action))?.action;
    if (hidden === undefined && twin !== undefined) return add("wrong item", "the action is of another item in the inputs", expected[twin]);
    if (hidden === undefined) return this.unknown(difference, position, add);
    const why = whyNotVisible(hidden.time, hidden.table.type, day, { ...this.rules, zone: this.zone });
    if (why !== undefined) return add(why.kind, `${why.message}; it must not be in the history`, hidden);
    add("action of the same day", "a leak: its own day is not before the dt; it must not be in the history", hidden);
  }

  private unknown({ actions, found }: Difference, position: number, add: (kind: string, message: string, input?: Action) => void) {
    const known = actions.find(({ action }) => matches(found[position], action))?.action;
    if (known === undefined)
      return add("unknown action", "no input has such an action of the customer: of another run, or of other inputs");
    if (found.some((other, at) => at !== position && matches(other, known)))
      return add("duplicate action", "the action is there more often than in the inputs", known);
    add("action beyond the history length", "newer actions of the customer fill the history", known);
  }

  private missing({ expected, where, found }: Difference, position: number) {
    const action = expected[position];
    this.findings.add(
      "missing action",
      `expected at position ${position} and not in the history`,
      { ...where, position, ...inputOf(action) },
      {
        expected: valuesOf(action),
        found: found[position],
      },
    );
  }

  private order({ found, expected, where }: Difference) {
    const wrong = found.flatMap((action, at) => (matches(action, expected[at]) ? [] : [at]));
    const [a, b] = wrong;
    const isSwap = wrong.length === 2 && matches(found[a], expected[b]) && matches(found[b], expected[a]);
    const position = a;
    if (isSwap)
      this.findings.add("swapped actions", `the actions at positions ${a} and ${b} are swapped`, {
        ...where,
        position,
        ...inputOf(expected[a]),
      });
    else this.findings.add("wrong order of actions", `${wrong.length} actions are not where they belong`, { ...where, position });
  }
}

const valuesOf = (action: Action | undefined) => action && { item: action.item, type: action.table.type, time: action.time };

const inputOf = (action: Action | undefined) => (action === undefined ? {} : { input: `${action.file.name}:${action.position}` });

/** As far as the output tells of an action. */
export function matches({ item, type, time }: FoundAction, action: Action | undefined): boolean {
  if (action === undefined) return false;
  return (
    (item === undefined || item === action.item) &&
    (type === undefined || type === action.table.type) &&
    (time === undefined || time === action.time)
  );
}

/** Positions of what is only in one of two histories, each as often as it is there. */
function unmatched(found: FoundAction[], expected: Action[]): { extra: number[]; missing: number[] } {
  const keyed = (item: unknown, type: unknown, time: unknown) => `${item} ${type} ${time}`;
  const [first = {}] = found;
  const keyOf = ({ item, table: { type }, time }: Action) =>
    keyed(
      first.item === undefined ? undefined : item,
      first.type === undefined ? undefined : type,
      first.time === undefined ? undefined : time,
    );
  const left = new Map<string, number[]>();
  for (const [at, action] of expected.entries()) left.set(keyOf(action), [...(left.get(keyOf(action)) ?? []), at]);
  const extra = found.flatMap(({ item, type, time }, at) => (left.get(keyed(item, type, time))?.shift() === undefined ? [at] : []));
  return { extra, missing: [...left.values()].flat().sort((a, b) => a - b) };
}
