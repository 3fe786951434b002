/** Where a file's key-value metadata has its LayoutNote (layout.ts). By itself, since threads that write load it, and no schemas. */
export const NOTE_KEY = "backstory.layout";
