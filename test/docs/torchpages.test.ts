/** Pages that train: what test/docs/pages.test.ts leaves to the suite that has PyTorch. */
import { LIMIT_MS, runPage, userPages, wantsTorch } from "./page";

jest.setTimeout(LIMIT_MS + 60_000);

const { python } = require("../training/install") as { python(): string };

test.each(
  userPages()
    .filter(wantsTorch)
    .map((page) => [page.path, page] as const),
)("%s", (_, page) => runPage(page, python()));
