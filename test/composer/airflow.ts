import { spawn } from "node:child_process";
import { join } from "node:path";

/** Of one command; a loaded machine takes a multiple of the usual minute. */
const LIMIT_MS = 600_000;

export interface Ended {
  code: number | null;
  /** standard output and error together, as they came */
  text: string;
}

/** Runs a program to its end, which comes at the latest with the limit. */
export function toItsEnd(program: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // a group of its own: what it has started ends with it
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    }
    const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), LIMIT_MS);
    child.once("error", reject).once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, text });
    });
  });
}

/** An Airflow with its database and DAGs in a folder of its own, and with no credentials. */
export function airflowIn(home: string): Record<string, string> {
  return {
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: join(home, "dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES: "False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${join(home, "airflow.db")}`,
    AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT: JSON.stringify({
      conn_type: "google_cloud_platform",
      extra: { is_anonymous: true, project: "test-project" },
    }),
    NO_PROXY: "127.0.0.1,localhost",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}
