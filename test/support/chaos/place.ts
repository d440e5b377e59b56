import type { ServerResponse } from 'node:http'
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { GcsFake } from '../gcs-fake.ts'
import { type GcsServer, gcsClient } from '../gcs-server.ts'
import { type S3Server, s3Client } from '../s3-server.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import type { StoreDescription } from './open-store.ts'
import type { Plan } from './plan.ts'

/** Where the objects of one run are, and how to look at them without our own code. */
export interface Place {
  /** By way of the faults. */
  readonly store: StoreDescription
  /** Without them. */
  readonly direct: StoreDescription
  readonly faults: FaultProxy
  /** Keys of finished objects, without the prefix. */
  objects(): Promise<string[]>
  /** Keys of what was begun and is not finished, where that does not end by itself. */
  unfinished(): Promise<string[]>
  close(): Promise<void>
}

/** A prefix of its own on a real S3 server. */
export async function s3Place(server: S3Server, plan: Plan): Promise<Place> {
  const { endpoint: upstream, bucket, region, credentials, forcePathStyle } = server
  const { seed, partSize } = plan
  const prefix = prefixOf(server, plan)
  const faults = await startFaultProxy({ upstream, seed })
  const client = s3Client(server)
  const options = { bucket, prefix, region, credentials, forcePathStyle, partSize }
  const within = { Bucket: bucket, Prefix: prefix }
  const shorten = ({ Key = '' }) => Key.slice(prefix.length)
  return {
    store: { s3: { ...options, endpoint: faults.endpoint } },
    direct: { s3: { ...options, endpoint: upstream } },
    faults,
    async objects() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command(within))
      return Contents.map(shorten)
    },
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(within))
      return Uploads.map(shorten)
    },
    async close() {
      client.destroy()
      await faults.close()
    },
  }
}

/** A prefix of its own on the fake of Google's service. */
export async function gcsFakePlace(fake: GcsFake, plan: Plan): Promise<Place> {
  const prefix = prefixOf({ prefix: '' }, plan)
  const place = await gcsPlace({ ...fake, prefix }, plan)
  return { ...place, objects: async () => keysBelow(prefix, [...fake.objects.keys()]) }
}

/** A prefix of its own on a server that speaks Google's API. */
export async function gcsServerPlace(server: GcsServer, plan: Plan): Promise<Place> {
  const prefix = prefixOf(server, plan)
  const place = await gcsPlace({ ...server, prefix }, plan)
  const bucket = gcsClient(server).bucket(server.bucket)
  return {
    ...place,
    async objects() {
      const [files] = await bucket.getFiles({ prefix })
      return keysBelow(
        prefix,
        files.map(({ name }) => name),
      )
    },
  }
}

async function gcsPlace(
  {
    endpoint: upstream,
    bucket,
    prefix,
  }: Pick<GcsServer, 'endpoint' | 'bucket' | 'prefix'>,
  { seed, partSize }: Plan,
): Promise<Omit<Place, 'objects'>> {
  const faults = await startFaultProxy({ upstream, seed, refuse: refuseAsGoogle })
  const options = { bucket, prefix, partSize }
  return {
    store: { gcs: { ...options, apiEndpoint: faults.endpoint } },
    direct: { gcs: { ...options, apiEndpoint: upstream } },
    faults,
    // Sessions end by themselves.
    unfinished: async () => [],
    close: () => faults.close(),
  }
}

function prefixOf(server: { prefix: string }, { seed }: Plan): string {
  return `${server.prefix}run-${seed}/`
}

function keysBelow(prefix: string, names: string[]): string[] {
  return names
    .filter((name) => name.startsWith(prefix))
    .map((n) => n.slice(prefix.length))
}

function refuseAsGoogle(response: ServerResponse, luck: number): void {
  const code = luck < 0.4 ? 503 : luck < 0.8 ? 429 : 500
  response.writeHead(code, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ error: { code, message: 'Later.', errors: [] } }))
}
