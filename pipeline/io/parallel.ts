/**
 * Does the same with each element, a few at a time. Once one has failed no other is begun, and those under way are waited for: nothing goes on
 * behind the back of whoever hears of the failure. @returns the results in the order of the elements
 */
export async function inParallel<In, Out>(elements: readonly In[], atOnce: number, work: (element: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = new Array(elements.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (next < elements.length && failure === undefined) {
      const k = next++;
      try {
        results[k] = await work(elements[k]);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, elements.length) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}
