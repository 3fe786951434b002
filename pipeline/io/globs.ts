import { isDynamicPattern } from "tinyglobby";

/** The part of a glob that names a folder plainly, whose own name may begin with `_`, and the pattern below it. */
export function cutGlob(glob: string): { plain: string[]; pattern: string } {
  const parts = glob.split("/");
  const count = Math.max(
    0,
    parts.findIndex((part) => isDynamicPattern(part) || /[{}()\\]/.test(part)),
  );
  return { plain: parts.slice(0, count), pattern: parts.slice(count).join("/") };
}

/** What begins so in a folder is not data: markers, attempts, checksums. */
export const isHidden = (name: string): boolean => /^[_.]/.test(name);

/** The columns that folders named `dt=2025-08-16` supply; the innermost of equal names counts. */
export function partitionOf(folders: readonly string[]): Record<string, string> {
  const pairs = folders
    .map((folder) => /^([^=]+)=(.*)$/s.exec(folder))
    .filter((pair) => pair !== null)
    .map(([, key, value]) => [unescapeHive(key), unescapeHive(value)]);
  return Object.fromEntries(pairs);
}

/** Hive writes what a file name cannot hold as %XX; what is no such escape stays as it is. */
function unescapeHive(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
