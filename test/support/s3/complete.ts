import { createHash } from 'node:crypto'
import { type Act, type Call, checkWritable, encryptionOf } from './call.ts'
import { composite, elementName, fullObject, type PartSum } from './checksums.ts'
import { S3Error } from './error.ts'
import {
  etagOf,
  type Headers,
  newObject,
  quoted,
  type S3Object,
  type S3Part,
  type S3Upload,
} from './state.ts'
import { checksumElement, uploadOf } from './uploads.ts'
import { elementsOf, textOf, xmlDocument } from './xml.ts'

export const completeMultipartUpload: Act = async (call) => {
  const { state, key } = call
  const xml = await call.text()
  const upload = uploadOf(call)
  const { faults } = state
  if (faults.failComplete > 0) {
    faults.failComplete--
    throw new S3Error('InternalError', 'Told to fail.')
  }
  checkWritable(call)
  const parts = listedParts(xml, upload)
  checkSizes(call, parts)
  const object = assemble(upload, parts)
  checkClaims(call, upload, object)
  state.objects.set(key, object)
  state.uploads.delete(upload.uploadId)
  if (faults.completeErrorsButExists > 0) {
    faults.completeErrorsButExists--
    throw new S3Error('InternalError', 'Told to fail, though the object is there.')
  }
  const result = {
    Location: `http://${call.headers.host}/${state.bucket}/${encodeURIComponent(key)}`,
    Bucket: state.bucket,
    Key: key,
    ETag: object.etag,
    ...checksumElements(upload, object),
  }
  return {
    headers: encryptionOf(object.headers),
    body: xmlDocument('CompleteMultipartUploadResult', result),
  }
}

function listedParts(xml: string, upload: S3Upload): S3Part[] {
  const listed = elementsOf(xml, 'Part')
  if (listed.length === 0) throw new S3Error('MalformedXML')
  const parts = listed.map((entry) => listedPart(entry, upload))
  for (const [i, { number }] of parts.entries()) {
    if (number > (parts[i - 1]?.number ?? 0)) continue
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    )
  }
  return parts
}

function listedPart(entry: string, upload: S3Upload): S3Part {
  const part = upload.parts.get(Number(textOf(entry, 'PartNumber')))
  if (!part || quoted(textOf(entry, 'ETag') ?? '') !== part.etag) throw invalidPart()
  const sums = Object.entries(checksumElement(part))
  for (const [name, value] of sums) {
    const claimed = textOf(entry, name)
    if (claimed !== null && claimed !== value) throw invalidPart()
    if (claimed === null && upload.algorithm && upload.checksumType === 'COMPOSITE') {
      throw new S3Error(
        'InvalidRequest',
        `The upload was created using a ${upload.algorithm} checksum. The complete request ` +
          `must include the checksum for each part. It was missing for part ${part.number}.`,
      )
    }
  }
  return part
}

function invalidPart(): S3Error {
  return new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found, or the part's ETag did not match.",
  )
}

function checkSizes({ state }: Call, parts: readonly S3Part[]): void {
  const { minPartSize, equalParts } = state.faults
  const [first] = parts
  const last = parts.at(-1)
  for (const part of parts.slice(0, -1)) {
    if (part.size < minPartSize) {
      throw new S3Error(
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      )
    }
    if (equalParts && part.size !== first?.size) throw unequal()
  }
  if (equalParts && first && last && last.size > first.size) throw unequal()
}

function unequal(): S3Error {
  return new S3Error('InvalidPart', 'All non-trailing parts must have the same length.')
}

function assemble(upload: S3Upload, parts: readonly S3Part[]): S3Object {
  const md5 = createHash('md5')
  for (const { content } of parts) md5.update(content.md5)
  return newObject(
    {
      chunks: parts.flatMap(({ content }) => content.chunks),
      size: parts.reduce((size, part) => size + part.size, 0),
    },
    {
      headers: upload.headers,
      etag: etagOf(md5.digest(), parts.length),
      checksum: checksumOf(upload, parts),
    },
  )
}

function checksumOf(upload: S3Upload, parts: readonly S3Part[]): Headers {
  const { algorithm, checksumType } = upload
  if (!algorithm) return {}
  const sums = parts.flatMap(({ size, content }): PartSum[] =>
    content.checksum ? [{ size, checksum: content.checksum.value }] : [],
  )
  const value =
    checksumType === 'FULL_OBJECT' ? fullObject(sums) : composite(algorithm, sums)
  return { [`x-amz-checksum-${algorithm}`]: value, 'x-amz-checksum-type': checksumType }
}

/** What the client says the whole must be. */
function checkClaims({ headers }: Call, upload: S3Upload, object: S3Object): void {
  const size = headers['x-amz-mp-object-size']
  if (size !== undefined && Number(size) !== object.size) {
    throw new S3Error(
      'InvalidRequest',
      'The provided x-amz-mp-object-size does not match what was uploaded.',
    )
  }
  const name = `x-amz-checksum-${upload.algorithm}`
  const sum = headers[name]
  if (sum !== undefined && sum !== object.checksum[name]) {
    throw new S3Error('BadDigest', 'The checksum did not match what was uploaded.')
  }
}

function checksumElements({ algorithm, checksumType }: S3Upload, { checksum }: S3Object) {
  if (!algorithm) return {}
  return {
    [elementName(algorithm)]: checksum[`x-amz-checksum-${algorithm}`],
    ChecksumType: checksumType,
  }
}
