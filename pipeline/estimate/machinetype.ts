/** A machine of Compute Engine. */
export interface Machine {
  vcpus: number;
  memoryGb: number;
}

/** GB of memory for each vCPU. */
const GB_PER_VCPU: Record<string, Record<string, number>> = {
  n1: { standard: 3.75, highmem: 6.5, highcpu: 0.9 },
  n2: { standard: 4, highmem: 8, highcpu: 1 },
  n2d: { standard: 4, highmem: 8, highcpu: 1 },
  n4: { standard: 4, highmem: 8, highcpu: 2 },
  e2: { standard: 4, highmem: 8, highcpu: 1 },
  c3: { standard: 4, highmem: 8, highcpu: 2 },
  c4: { standard: 3.75, highmem: 7.75, highcpu: 2 },
};

/** What a name such as n2-standard-4 stands for; undefined if it is none of these. */
export function parseMachine(name: string): Machine | undefined {
  const [, family, kind, count] = /^([a-z0-9]+)-(standard|highmem|highcpu)-([1-9][0-9]{0,2})$/.exec(name) ?? [];
  const perVcpu = family === undefined ? undefined : GB_PER_VCPU[family]?.[kind];
  return perVcpu === undefined ? undefined : { vcpus: Number(count), memoryGb: perVcpu * Number(count) };
}
