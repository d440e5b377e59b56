import { cached, isStored } from '../cached.ts'
import { Broken, type Check, ok } from '../check.ts'
import { describe, expect, headerHidden, headerLost } from '../explain.ts'
import { fitting } from '../sample.ts'
import { create, head, metadataFor, routeOf } from '../tus.ts'

/** Whether HEAD tells a client where to go on, and metadata arrives as it was sent. */
export const check: Check = {
  name: 'head',
  needs: ['create'],
  async run(patient) {
    const upload = await create(patient, { size: fitting(routeOf(patient).sample, 100) })
    const sent = 'HEAD of an upload'
    const answer = expect(await head(patient, upload), [200, 204], sent)
    const found = { sent, got: describe(answer) }
    const { headers } = answer
    if (headers['upload-offset'] === undefined) {
      const isGet = headers['content-type']?.includes('json')
      throw new Broken({
        ...found,
        ...(isGet ? cached() : headerHidden('Upload-Offset')),
      })
    }
    if (isStored(answer)) throw new Broken({ ...found, ...cached() })
    const metadata = headers['upload-metadata']
    if (metadata === undefined)
      throw new Broken({ ...found, ...headerLost('Upload-Metadata') })
    if (metadata !== metadataFor(patient)) {
      throw new Broken({
        ...found,
        ...headerLost('Upload-Metadata'),
        message: 'Upload-Metadata is changed on its way.',
      })
    }
    for (const name of ['Upload-Length', 'Cache-Control']) {
      if (headers[name.toLowerCase()] !== undefined) continue
      throw new Broken({ ...found, ...headerHidden(name) })
    }
    return ok('HEAD tells offset, length and metadata, and is not cached')
  },
}
