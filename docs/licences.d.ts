interface Lock {
  packages: Record<string, unknown>;
}
export function isAllowed(expression: string): boolean;
export function licencesOf(lock: Lock): string;
export function packagesOf(lock: Lock): { name: string; version: string; licence: string; why?: string }[];
