/** Variables of the environment that are read; a test finds all that the code reads here. */
export interface Variable {
  names: string[];
  about: string;
  /** who reads it, if it is a library that is used */
  by?: string;
}

export const VARIABLES: readonly Variable[] = [
  { names: ["BACKSTORY_CACHE"], about: "Folder for programs that are fetched for runners (Prism, Flink). Default: ~/.cache/backstory." },
  { names: ["BACKSTORY_PRISM"], about: "Program to use for --runner=prism, in the place of one that is fetched." },
  { names: ["JAVA_HOME"], about: "Java for --runner=flink; else the one on the PATH." },
  { names: ["MAVEN_CENTRAL"], about: "Where Flink's jars are fetched from, in the place of Maven Central." },
  { names: ["GOFLAGS"], about: "Passed on, with more, to the Go that builds Prism." },
  { names: ["PATH"], about: "Where java, go, prism and docker are looked for; workers get it with this Node before it." },
  { names: ["STORAGE_EMULATOR_HOST"], about: "Another server for gs://, which is asked without credentials." },
  { names: ["BIGQUERY_EMULATOR_HOST"], about: "Another server for bq://, likewise." },
  { names: ["GOOGLE_CLOUD_QUOTA_PROJECT"], about: "Project that pays for reading buckets whose requester pays." },
  { names: ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"], about: "Project for jobs of BigQuery, where --project is not given." },
  {
    names: ["GOOGLE_APPLICATION_CREDENTIALS"],
    about: "Key file of a service account; else the login of gcloud, or the account of the machine.",
    by: "Google's libraries",
  },
  {
    names: ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"],
    about: "Proxy for requests, and hosts that need none; also in small letters.",
    by: "Google's libraries, and Node's agents",
  },
  { names: ["TMPDIR"], about: "The machine's own folder for temporary files.", by: "Node" },
];
