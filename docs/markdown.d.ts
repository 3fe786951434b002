export interface Block {
  language: string;
  /** what stands behind the language */
  words: string[];
  text: string;
  /** of the fence, from 1 */
  line: number;
}
export interface Link {
  to: string;
  line: number;
}
export function pagesOf(root: string): string[];
export function read(root: string, page: string): string;
export function blocksOf(page: string): Block[];
export function proseOf(page: string, options?: { inline?: boolean }): string;
export function linksOf(page: string): Link[];
export function anchorsOf(page: string): string[];
export function slugOf(title: string): string;
