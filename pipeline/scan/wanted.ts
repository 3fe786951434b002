import { date } from "../../transforms/values";
import { Role } from "./literals";
import { NO_DAY } from "./times";

/** Which columns make a row. Of those that folders supply, only days are understood. */
export abstract class Wanted {
  private readonly roles = new Map<string, Role>();
  /** bits of the roles that a row must have */
  private bits = 0;
  /** the same if the folder has no say, else no row's bits */
  protected ownBits = 0;
  /** role of the column that the folder supplies, and what it says */
  private folderRole = Role.skip;
  private folderDay = NO_DAY;

  /** The day of the row being written. */
  protected abstract putDay(day: number, role: Role): void;
  protected abstract dayOf(role: Role): number;

  readonly roleOf = (column: string): Role => this.roles.get(column) ?? Role.skip;

  protected add(column: string, role: Role) {
    if (this.roles.has(column)) this.giveUp();
    this.roles.set(column, role);
    this.ownBits = this.bits |= 1 << role;
  }

  /** A column that a row may lack, and a folder has no say in. */
  protected compare(column: string | null | undefined, role: Role): boolean {
    if (column === null || column === undefined) return false;
    if (this.roles.has(column)) this.giveUp();
    this.roles.set(column, role);
    return true;
  }

  protected supply(partition: Readonly<Record<string, string>>) {
    for (const [column, text] of Object.entries(partition)) {
      const role = this.roleOf(column);
      if (role === Role.skip || role === Role.said || role === Role.clock) continue;
      const isDay = role === Role.date || role === Role.ownDay || role === Role.dateAndOwnDay;
      if (!isDay || this.folderRole !== Role.skip) return this.giveUp();
      try {
        this.folderDay = date(text);
        this.folderRole = role;
        this.ownBits = -1;
      } catch {
        this.giveUp();
      }
    }
  }

  /** No row has this bit: every one is left to the careful reader. */
  private giveUp() {
    this.ownBits = this.bits |= 1 << 31;
  }

  /** Whether the folder supplies what roles `seen`, as bits, lack, and otherwise says the same. */
  protected folderAgrees(seen: number): boolean {
    const bit = 1 << this.folderRole;
    if (this.folderRole === Role.skip || (seen | bit) !== this.bits) return false;
    if (seen & bit) return this.dayOf(this.folderRole) === this.folderDay;
    this.putDay(this.folderDay, this.folderRole);
    return true;
  }
}
