/** The first sentence without its full stop, for places that have a line at most. */
export const first = (text: string): string => text.split(/\.(?= [A-Z]|$)/)[0];
