import { suite, type Test } from 'uvu'
import { minio } from '../../stores/presets.ts'
import { r2 } from '../../stores/r2.ts'
import { type S3StoreOptions, s3 } from '../../stores/s3.ts'
import { testStore } from '../../stores/testing.ts'
import { requires } from '../support/requirements.ts'
import type { S3Faults } from '../support/s3/faults.ts'
import { startS3Fake } from '../support/s3-fake.ts'
import { type S3Program, s3Server } from '../support/s3-server.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** Small parts where the service lets us: the fake's least size is ours to choose. */
const small = { partSize: 96 * KiB, minPartSize: 64 * KiB }
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
let places = 0

const amazon: Partial<S3Faults> = { minPartSize: small.minPartSize }
const asMinio: Make = (options) => minio({ ...options, endpoint: options.endpoint ?? '' })
const asAmazon: Make = (options) =>
  s3({ ...options, profile: { ...options.profile, conditionalPut: true } })
/** They say that they take `If-None-Match` with a new object. */
const conditional: readonly Make[] = [asMinio, asAmazon, r2]

// All of them before the first test: a suite that is added while others run is lost.
const prepared = [
  await onFake('s3', s3, amazon),
  await onFake('s3, without checksums', (options) => s3(plain(options)), amazon),
  await onFake('minio', asMinio, { ...amazon, noSuchUploadOnAbort: false }),
  await onFake('s3, as AWS', asAmazon, amazon),
  await onFake('r2', r2, { ...amazon, equalParts: true, noTagging: true }),
  await onServer('versitygw', s3),
  await onServer('minio', asMinio),
]
for (const { tests, make, options } of prepared) contract(tests, make, options)

interface Prepared {
  tests: Test
  make: Make
  options: S3StoreOptions
}

async function onFake(
  name: string,
  make: Make,
  faults: Partial<S3Faults>,
): Promise<Prepared> {
  const { bucket, endpoint, close } = await startS3Fake({ faults })
  const tests = suite(`the contract of a store: ${name}`)
  tests.after(close)
  const { minPartSize, partSize } = small
  const place = { bucket, endpoint, forcePathStyle: true, credentials }
  return { tests, make, options: { ...place, partSize, profile: { minPartSize } } }
}

/** On a real one parts have at least the size that S3 asks for. */
async function onServer(program: S3Program, make: Make): Promise<Prepared> {
  const wanted = suite(`the contract of a store: ${program}, with a server`)
  const tests = requires(program, wanted)
  if (tests !== wanted) return { tests, make, options: { bucket: 'none', credentials } }
  const { stop, profile, ...server } = await s3Server(program)
  tests.after(stop)
  return { tests, make, options: { ...server, partSize: 5 * MiB } }
}

type Make = (options: S3StoreOptions) => ReturnType<typeof s3>

/** Every test has a prefix of its own. */
function contract(tests: Test, make: Make, options: S3StoreOptions): void {
  const partSize = Number(options.partSize ?? 5 * MiB)
  testStore({
    test: tests,
    create() {
      const prefix = `${options.prefix ?? ''}${places++}/`
      const open = () => make({ ...options, prefix })
      return { store: open(), reopen: open }
    },
    options: {
      partSize,
      refusesOccupied: conditional.includes(make),
      capabilities: ['copy', 'direct', 'list', 'listUnfinished', 'signedUrl'],
    },
  })
  tests.run()
}

function plain(options: S3StoreOptions): S3StoreOptions {
  return { ...options, profile: { ...options.profile, checksum: 'none' } }
}
