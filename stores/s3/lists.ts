import type {
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
} from '@aws-sdk/client-s3'
import type { ListedObject, UnfinishedObject } from '../store.ts'
import type { Connected } from './client.ts'
import { nameOf, toStoreError } from './errors.ts'

/** Asks for as little as can be asked for. `HeadBucket` would fail where only our prefix is allowed. */
export async function listOne({ settings, sdk, client }: Connected): Promise<void> {
  const where = { Bucket: settings.bucket, Prefix: settings.prefix, MaxKeys: 1 }
  await client.send(new sdk.ListObjectsV2Command(where))
}

export async function* listObjects(
  connecting: Promise<Connected>,
): AsyncGenerator<ListedObject> {
  const { settings, sdk, client } = await connecting
  const where = { Bucket: settings.bucket, Prefix: settings.prefix }
  let ContinuationToken: string | undefined
  do {
    const command = new sdk.ListObjectsV2Command({ ...where, ContinuationToken })
    const page = await client.send(command).catch(rethrow)
    for (const { Key = '', Size = 0, LastModified = new Date() } of page.Contents ?? []) {
      const key = Key.slice(where.Prefix.length)
      yield { key, size: Size, modifiedAt: LastModified }
    }
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken)
}

/** Only under our prefix: what others began in the same bucket is theirs (S8). */
export async function* listUploads(
  connecting: Promise<Connected>,
): AsyncGenerator<UnfinishedObject> {
  const to = await connecting
  const { bucket: Bucket, prefix: Prefix, profile } = to.settings
  const where = { Bucket, ...(profile.listsByPrefix && { Prefix }) }
  let marker: Marker | null = {}
  while (marker) {
    const page: ListMultipartUploadsCommandOutput = await listPage(to, {
      ...where,
      ...marker,
    })
    for (const { Key = '', UploadId, Initiated = new Date() } of page.Uploads ?? []) {
      if (!Key.startsWith(Prefix)) continue
      const memo = { uploadId: UploadId }
      yield { key: Key.slice(Prefix.length), memo, startedAt: Initiated }
    }
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    marker = page.IsTruncated && KeyMarker ? { KeyMarker, UploadIdMarker } : null
  }
}

type Marker = Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>

/** Some services refuse the marker they gave: without it one finds the rest next time. */
async function listPage(
  { sdk, client }: Connected,
  input: ListMultipartUploadsCommandInput,
): Promise<ListMultipartUploadsCommandOutput> {
  try {
    return await client.send(new sdk.ListMultipartUploadsCommand(input))
  } catch (error) {
    const { UploadIdMarker, ...rest } = input
    if (nameOf(error) !== 'InvalidArgument' || !UploadIdMarker) return rethrow(error)
    const command = new sdk.ListMultipartUploadsCommand(rest)
    return client.send(command).catch(rethrow)
  }
}

function rethrow(error: unknown): never {
  throw toStoreError(error)
}
