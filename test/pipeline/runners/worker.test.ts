import { BytesCoder } from "apache-beam/coders/standard_coders";
import { unpacked } from "../../../beam/failure";
import { parDo, requireForSerialization, withCoderInternal, withName } from "../../../beam/sdk";
import { work } from "../../../pipeline/runners/worker";
import { VERSION } from "../../../pipeline/version";
import { FakeRunner } from "../../beam/fakerunner";

jest.setTimeout(30_000);

let runner: FakeRunner;
let printed: jest.SpyInstance;
beforeEach(async () => {
  runner = await new FakeRunner().start();
  printed = jest.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  runner.stop();
  printed.mockRestore();
});

const settings = (version: string | undefined) => ({ threads: 1, folder: null, version });

test("a worker of another version refuses each bundle, and says why", async () => {
  const done = work({ id: "worker-7", controlUrl: runner.endpoint }, settings("9.9.9"));
  for (const id of ["1", "2"]) {
    const { error } = await runner.bundle(id);
    expect(error).toContain(`the workers are of backstory ${VERSION}, and the job is of 9.9.9. Give the workers the version of the job`);
    expect(unpacked(error)).toMatchObject({ exitCode: 2 });
  }
  expect(printed.mock.calls.join()).toContain("9.9.9");
  runner.stop();
  await done;
});

class Same {
  *process(element: Uint8Array) {
    yield element;
  }
}
requireForSerialization("backstory/test/pipeline/runners/worker", { Same });

test.each([VERSION, undefined])("a worker of the same version, or of one that is not told (%s), works", async (version) => {
  const done = work({ id: "worker-7", controlUrl: runner.endpoint }, settings(version));
  runner.describe((input) => input.apply(withName("same", parDo(new Same()))).apply(withCoderInternal(new BytesCoder() as never)));
  const answer = runner.bundle("1");
  await runner.feed("1", [Uint8Array.of(7)]);
  expect((await answer).error).toBe("");
  runner.stop();
  await done;
});
