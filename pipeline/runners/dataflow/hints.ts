/** Usual reasons why a job fails, by what Dataflow says of them; what it says, and its console, are told as well. */
const HINTS: [RegExp, string][] = [
  [/quota|QUOTA_EXCEEDED/i, "Ask for a larger quota in that region, or lower --max-num-workers or the size of the machines."],
  [/ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources/i, "Try again later, or choose another --region or --worker-machine-type."],
  [
    /(failed to pull|unable to pull|error pulling|cannot pull|ImagePull|manifest unknown|image .*not found|pull access denied)/i,
    "Check --worker-image, and that the workers' account has roles/artifactregistry.reader on its repository.",
  ],
  [/exec format error|no match for platform/i, "Build the image for linux/amd64, or choose a machine of its kind."],
  [
    /network .*(not accessible|not found)|subnetwork .*(not found|does not exist)|Private Google Access/i,
    "Check --network and --subnetwork; with --no-use-public-ips the subnetwork wants Private Google Access.",
  ],
  [
    /(iam\.serviceAccounts\.actAs|act as service account|roles\/dataflow\.worker|Permissions? verification for controller service account failed|service account .*(does not exist|not found|disabled))/i,
    "Check --service-account-email; it wants roles/dataflow.worker, and roles/storage.objectUser on the buckets.",
  ],
  [
    /KMS|cryptoKey/i,
    "Grant the service agents of Dataflow and Compute Engine roles/cloudkms.cryptoKeyEncrypterDecrypter on --dataflow-kms-key.",
  ],
  [/machine type/i, "Check --worker-machine-type."],
  [
    /SDK (harness|worker).*(disconnected|failed|crash)|lost contact with the service|CrashLoopBackOff|out of memory|OOM/i,
    "Workers ended. If memory was short, choose a --worker-machine-type with more of it; if they did not start, check --worker-image. What they said:",
  ],
];

export const hintOf = (text: string): string | undefined => HINTS.find(([pattern]) => pattern.test(text))?.[1];
