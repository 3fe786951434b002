import { accessSync, constants } from "node:fs";
import { runnerApi } from "../../../beam/sdk";
import { boot, bootFlags } from "../../../pipeline/runners/boot";
import { placeOf } from "../../../pipeline/runners/environment";
import { PLAIN, settingsIn } from "../../../pipeline/runners/settings";

test("DOCKER is Beam's payload with the image", () => {
  const { urn, payload } = placeOf({ kind: "docker", config: "registry/backstory:1" }, undefined);
  expect(urn).toBe("beam:env:docker:v1");
  expect(runnerApi.DockerPayload.fromBinary(payload)).toEqual({ containerImage: "registry/backstory:1" });
});

test("EXTERNAL is the address of the pool, ours or a given one", () => {
  const urlOf = (config?: string) => {
    const { urn, payload } = placeOf({ kind: "external", config }, "localhost:1");
    expect(urn).toBe("beam:env:external:v1");
    return runnerApi.ExternalPayload.fromBinary(payload).endpoint!.url;
  };
  expect([urlOf(), urlOf("far:2")]).toEqual(["localhost:1", "far:2"]);
});

test("PROCESS is a program that can be run, ours by this Node", () => {
  const { urn, payload } = placeOf({ kind: "process", config: undefined }, undefined);
  expect(urn).toBe("beam:env:process:v1");
  const { command, env, os, arch } = runnerApi.ProcessPayload.fromBinary(payload);
  expect(() => accessSync(command, constants.X_OK)).not.toThrow();
  expect([os, arch]).toEqual([process.platform, process.arch]);
  expect(process.execPath.startsWith(env.PATH.split(":")[0])).toBe(true);
  const other = runnerApi.ProcessPayload.fromBinary(placeOf({ kind: "process", config: "/opt/boot" }, undefined).payload);
  expect(other).toMatchObject({ command: "/opt/boot", env: {} });
});

test.each([
  [["--id=1-1", "--provision_endpoint=localhost:1"], { id: "1-1", provision: "localhost:1", control: undefined, logging: undefined }],
  // Prism's quotes
  [["--id='job-1[x]_js'", "--provision_endpoint=a:1"], { id: "job-1[x]_js" }],
  [["--id", "7", "--provision_endpoint", "a:1", "--control_endpoint", "b:2"], { id: "7", provision: "a:1", control: "b:2" }],
  [
    ["-id=7", "--logging_endpoint=c:3", "--artifact_endpoint=d:4", "--provision_endpoint=a:1", "--semi_persist_dir=/tmp"],
    { logging: "c:3" },
  ],
  // Beam's boot program, which has asked already
  [
    ["--logging_endpoint=c:3", "--control_endpoint=b:2", "--semi_persist_dir=/tmp", '--options={"a":"b=c"}', "--id=7"],
    { id: "7", provision: undefined, control: "b:2", logging: "c:3", options: '{"a":"b=c"}' },
  ],
])("boot flags %j", (args, wanted) => {
  expect(bootFlags(args)).toMatchObject(wanted);
});

test.each([
  [[]],
  [["--id=1"]],
  [["--provision_endpoint=a:1"]],
  [["--id=", "--provision_endpoint=a:1"]],
  [["--id=1", "--control_endpoint=b:2"]],
])("boot flags %j are too few", (args) => {
  expect(() => bootFlags(args)).toThrow(/wants --id and --provision_endpoint/);
});

test("options that are not JSON are not repeated: nobody knows what is in them", async () => {
  const wrong = boot(["--id=1", "--control_endpoint=localhost:1", "--options=token"]);
  await expect(wrong).rejects.toThrow(/^--options must be the pipeline options as JSON, as Beam's boot program gives them\.$/);
});

test("settings come with the pipeline options, or are plain", () => {
  const settings = { threads: 3, folder: "/x" };
  expect(settingsIn({ "beam:option:backstory_worker:v1": JSON.stringify(settings) })).toEqual(settings);
  expect(settingsIn({ "beam:option:backstory_worker:v1": '{"threads":2}' })).toEqual({ ...PLAIN, threads: 2 });
  expect(settingsIn({})).toEqual(PLAIN);
  // as a job of Dataflow has them
  expect(settingsIn({ display_data: [], options: { backstoryWorker: JSON.stringify(settings) } })).toEqual(settings);
});
