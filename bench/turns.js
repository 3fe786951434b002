/**
 * The order of runs in which each contestant's are spread evenly over the whole time, however many they are: what else the machine does
 * meets all alike. The first run is the first contestant's.
 * @param repeatsOf how many runs a contestant has
 */
function turnsOf(contestants, repeatsOf) {
  const turns = contestants.flatMap((contestant, k) => {
    const repeats = repeatsOf(contestant);
    return Array.from({ length: repeats }, (_, j) => ({ contestant, at: (j + k / contestants.length) / repeats }));
  });
  return turns.sort((a, b) => a.at - b.at).map(({ contestant }) => contestant);
}

module.exports = { turnsOf };
