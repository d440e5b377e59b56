import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { type Program, startProgram } from './program.ts'
import { locate } from './requirements.ts'

/** A bucket of a real S3 server, and what a client needs to reach it. */
export interface S3Server {
  endpoint: string
  region: string
  bucket: string
  /** Ends with a slash. Nobody else writes below it. */
  prefix: string
  /** Undefined for a server of the environment that says nothing about them: the SDK's own. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
  forcePathStyle: boolean
  /** Which kind of service it is, if the environment says so. */
  profile: string | undefined
  /** Leaves nothing behind. */
  stop(): Promise<void>
}

/** The ones that tests can start. */
export type S3Program = 'versitygw' | 'minio'

/**
 * A server of its own with an empty bucket, gone after `stop`. In place of `versitygw` it is
 * the one that `CARCOSA_TEST_S3_ENDPOINT` names, if set; `stop` then empties the prefix.
 */
export function s3Server(program: S3Program = 'versitygw'): Promise<S3Server> {
  const endpoint = process.env.CARCOSA_TEST_S3_ENDPOINT
  return program === 'versitygw' && endpoint ? given(endpoint) : started(program)
}

/** A client of the SDK for it that tries once. */
export function s3Client(server: S3Server): S3Client {
  const { endpoint, region, credentials, forcePathStyle } = server
  // A copy: the SDK writes into the object it gets.
  const known = credentials && { credentials: { ...credentials } }
  return new S3Client({ endpoint, region, forcePathStyle, maxAttempts: 1, ...known })
}

const credentials = { accessKeyId: 'carcosa', secretAccessKey: 'carcosa-secret' }
const region = 'us-east-1'

type Command = Pick<Program, 'args' | 'env'>

const programs: Record<S3Program, Command> = {
  versitygw: versitygw(() => []),
  minio: {
    args: ({ port, directory }) => [
      ...['server', '--quiet', '--address', `127.0.0.1:${port}`],
      join(directory, 'data'),
    ],
    env: {
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
  },
}

function versitygw(metadata: (directory: string) => string[]): Command {
  return {
    args({ port, directory }) {
      for (const name of ['data', 'metadata']) mkdirSync(join(directory, name))
      const listen = ['--quiet', '--keep-alive', '--port', `127.0.0.1:${port}`]
      const backend = ['posix', ...metadata(directory), join(directory, 'data')]
      return [...listen, '--region', region, ...backend]
    },
    env: {
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
  }
}

/** Four times slower with small objects, but without need of extended attributes. */
const slower = versitygw((directory) => ['--sidecar', join(directory, 'metadata')])

async function started(name: S3Program): Promise<S3Server> {
  const place = { region, bucket: 'carcosa-test', prefix: newPrefix() }
  const access = { credentials, forcePathStyle: true, profile: undefined }
  const start = (command: Command) =>
    startProgram({
      ...command,
      path: locate(name),
      async ready(endpoint) {
        const server = { endpoint, ...place, ...access, stop: async () => {} }
        await s3Client(server).send(new CreateBucketCommand({ Bucket: place.bucket }))
      },
    })
  const { endpoint, stop } = await start(programs[name]).catch((error: unknown) => {
    if (/xattrs are not supported/.test(String(error))) return start(slower)
    throw error
  })
  return { endpoint, ...place, ...access, stop }
}

async function given(endpoint: string): Promise<S3Server> {
  const { env } = process
  const bucket = env.CARCOSA_TEST_S3_BUCKET
  if (!bucket)
    throw new TypeError('CARCOSA_TEST_S3_ENDPOINT needs CARCOSA_TEST_S3_BUCKET')
  const accessKeyId = env.CARCOSA_TEST_S3_ACCESS_KEY_ID
  const secretAccessKey = env.CARCOSA_TEST_S3_SECRET_ACCESS_KEY
  const server: S3Server = {
    endpoint,
    region: env.CARCOSA_TEST_S3_REGION || region,
    bucket,
    prefix: newPrefix(),
    credentials:
      accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    forcePathStyle: !new URL(endpoint).hostname.endsWith('.amazonaws.com'),
    profile: env.CARCOSA_TEST_S3_PROFILE || undefined,
    stop: () => clear(server),
  }
  return server
}

function newPrefix(): string {
  return `carcosa-test-${randomBytes(6).toString('hex')}/`
}

/** One by one: the request for many at once is what compatible services differ in most. */
async function clear(server: S3Server): Promise<void> {
  const client = s3Client(server)
  const within = { Bucket: server.bucket, Prefix: server.prefix }
  const { Uploads = [], IsTruncated: moreUploads } = await client.send(
    new ListMultipartUploadsCommand(within),
  )
  for (const { Key, UploadId } of Uploads) {
    const upload = { Bucket: server.bucket, Key, UploadId }
    await client.send(new AbortMultipartUploadCommand(upload))
  }
  const { Contents = [], IsTruncated: moreObjects } = await client.send(
    new ListObjectsV2Command(within),
  )
  for (const { Key } of Contents) {
    await client.send(new DeleteObjectCommand({ Bucket: server.bucket, Key }))
  }
  if (moreUploads || moreObjects) await clear(server)
}
