import Module from "node:module";

/**
 * zod loads its messages in sixty languages, 20 ms of each start, and we use one, which it loads by itself. So the others are nothing, in the process
 * of the command. To be imported before zod.
 */
const path = require.resolve("zod/v4/locales");
const none = new Module(path);
none.loaded = true;
require.cache[path] ??= none;
