/** Which process something belongs to, so that one that comes later can tell whether it is dead. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { z } from "zod";

export const Owner = z.strictObject({
  /** for people */
  host: z.string(),
  /** one start of one machine, and on Linux the numbering of processes there (a container has its own) */
  machine: z.string(),
  pid: z.number().int(),
  /** when the process began, in the machine's own count; "" where that is not known */
  began: z.string(),
});
export type Owner = z.infer<typeof Owner>;

export function thisProcess(): Owner {
  return { host: hostname(), machine: machine(), pid: process.pid, began: startOf(process.pid) ?? "" };
}

/** True only where it is certain: of a process of this machine, in the same numbering, that has ended. A number may have been given to another since. */
export function isDead(owner: Owner): boolean {
  if (owner.machine === "" || owner.machine !== machine()) return false;
  if (process.platform === "linux") return startOf(owner.pid) !== owner.began;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

export const nameOf = ({ host, pid }: Owner): string => `process ${pid} on ${host}`;

/** "" where it cannot be known. */
function machine(): string {
  if (process.platform === "linux") {
    try {
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
    } catch {
      return "";
    }
  }
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ mac }) => mac));
  return [hostname(), ...new Set(addresses)].sort().join(" ");
}

/** Field 22 of /proc/PID/stat (man 5 proc_pid_stat); undefined for a process that has ended, be it still listed. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
