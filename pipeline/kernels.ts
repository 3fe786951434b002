/** The modules of all kernels, in the order in which a run wants them: threads load them while their process loads the Beam SDK. */
export const KERNELS = ["pipeline/scansplit", "transforms/joinbucket", "transforms/measurejoined", "pipeline/writeday"].map(
  (name) => `backstory/${name}`,
);
