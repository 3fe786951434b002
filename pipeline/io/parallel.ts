/** Does the same with each element, a few at a time. @returns the results in the order of the elements */
export async function inParallel<In, Out>(elements: readonly In[], atOnce: number, work: (element: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = new Array(elements.length);
  let next = 0;
  const worker = async () => {
    while (next < elements.length) {
      const k = next++;
      results[k] = await work(elements[k]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, elements.length) }, worker));
  return results;
}
