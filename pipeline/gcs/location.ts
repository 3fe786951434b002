import { asked, payer, storage } from "./client";

/**
 * Where a bucket is, in capitals: a region (EUROPE-WEST1), two (EUR4), or a continent (EU).
 * @returns undefined where the account may not know
 * @throws ConfigError where there is no such bucket
 */
export function locationOf(bucket: string): Promise<string | undefined> {
  const attempted = { verb: "list", uri: `gs://${bucket}`, permission: "storage.buckets.get", role: "roles/storage.bucketViewer" };
  return asked(attempted, async () => {
    try {
      const [{ location }] = await storage().bucket(bucket, { userProject: payer() }).getMetadata();
      return location;
    } catch (error) {
      if (![401, 403].includes(Number((error as { code?: unknown }).code))) throw error;
      return undefined;
    }
  });
}

/** Whether a region of Google Cloud reads from there without leaving its continent; what is in two regions is not known to be elsewhere. */
export function isNear(location: string, region: string): boolean {
  const where = location.toLowerCase();
  if (where === region || /^[a-z]+\d+$/.test(where)) return true;
  const continents: Record<string, string> = { us: "us-", eu: "europe-", asia: "asia-" };
  return where in continents && region.startsWith(continents[where]);
}
