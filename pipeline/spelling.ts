/** Names of options, as flags spell them and as schemas do. */
export const kebab = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const camel = (name: string): string => name.replaceAll(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());
