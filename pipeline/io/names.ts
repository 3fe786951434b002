/** Names as bytes, so that a key is compared and not decoded. Keys come in the same order row after row: the search starts where the last one ended. */
export class Names {
  readonly texts: string[] = [];
  private readonly bytes: Buffer[] = [];
  private next = 0;

  add(text: string) {
    this.texts.push(text);
    this.bytes.push(Buffer.from(text));
  }

  find(bytes: Buffer, start: number, end: number): number {
    const count = this.bytes.length;
    for (let k = 0; k < count; k++) {
      const which = this.next < count ? this.next : 0;
      this.next = which + 1;
      const name = this.bytes[which];
      if (name.length !== end - start) continue;
      let at = 0;
      while (at < name.length && name[at] === bytes[start + at]) at++;
      if (at === name.length) return which;
    }
    return -1;
  }
}
