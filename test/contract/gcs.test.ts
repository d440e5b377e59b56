import { suite, type Test } from 'uvu'
import { type GcsStoreOptions, gcs } from '../../stores/gcs.ts'
import type { Store } from '../../stores/store.ts'
import { testStore } from '../../stores/testing.ts'
import { startSessionProxy } from '../support/gcs/session-proxy.ts'
import { startGcsFake } from '../support/gcs-fake.ts'
import { gcsServer } from '../support/gcs-server.ts'
import { requires } from '../support/requirements.ts'

const partSize = 256 * 1024
let places = 0

const fake = await startGcsFake()
const onFake = suite('the contract of a store: gcs')
onFake.after(() => fake.close())

const wanted = suite('the contract of a store: gcs, with a server')
const onServer = requires('fake-gcs-server', wanted)
const served = onServer === wanted ? await serve() : { bucket: 'none' }

contract(onFake, { bucket: fake.bucket, apiEndpoint: fake.endpoint })
contract(onServer, served)

async function serve(): Promise<GcsStoreOptions> {
  const { endpoint, bucket, prefix, stop } = await gcsServer()
  const isGoogle = endpoint.endsWith('.googleapis.com')
  const proxy = isGoogle ? null : await startSessionProxy(endpoint)
  onServer.after(async () => {
    await proxy?.close()
    await stop()
  })
  return { bucket, prefix, apiEndpoint: proxy?.endpoint ?? endpoint }
}

/** Every test has a prefix of its own. */
function contract(tests: Test, options: GcsStoreOptions): void {
  testStore({
    test: tests,
    create() {
      const prefix = `${options.prefix ?? ''}${places++}/`
      const open = () => withoutUrls(gcs({ ...options, prefix, partSize }))
      return { store: open(), reopen: open }
    },
    options: {
      ...{ partSize, refusesOccupied: true },
      capabilities: ['copy', 'list', 'offset'],
    },
  })
  tests.run()
}

/** They need the key of a service account, and cannot say `Cache-Control`. */
function withoutUrls(store: Store): Store {
  return { ...store, signedUrl: undefined }
}
