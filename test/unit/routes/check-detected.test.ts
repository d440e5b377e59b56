import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkDetected } from '../../../src/routes/check-detected.ts'
import type { RouteOptions } from '../../../src/routes/options.ts'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'
import type { RouteConfig } from '../../../src/routes/rules.ts'
import {
  agreeing,
  anything,
  type Case,
  container,
  corrected,
  lies,
  unknown,
} from './detected-cases.ts'

const subject = (config: RouteConfig, options?: RouteOptions) =>
  createRouter({ demo: route(config, options) }).routes.demo

function table(title: string, cases: Case[]): void {
  const run = suite(title)
  for (const { types, declared, name, bytes, as } of cases) {
    const said = `${declared || 'nothing'}${name ? ` named ${name}` : ''}`
    const outcome = `${types}: ${said}, bytes ${bytes}: ${as ? `served as ${as}` : 'refused'}`
    run(outcome, () => {
      const file = { declaredType: declared, name: name ?? null, size: 10 }
      const verdict = checkDetected(subject(types), file, bytes)
      assert.is(verdict.error?.code ?? null, as ? null : 'TYPE_NOT_ALLOWED')
      if (as) assert.is(verdict.contentType, as)
      assert.is(verdict.rule === null, !as)
    })
  }
  run.run()
}
table('a file whose bytes agree', agreeing)
table('a file whose bytes only show the container', container)
table('a file whose bytes contradict, on a route that takes neither', lies)
table('a file whose bytes contradict, on a route that takes them', corrected)
table('a file on a route that takes anything', anything)

const verdicts = suite('the verdict')
const MB = 1024 * 1024

verdicts('on a lie says what was claimed, what was found and what is taken', () => {
  const file = { declaredType: 'image/png', name: 'cat.png', size: 9 }
  const { error } = checkDetected(subject(['image']), file, 'application/zip')
  assert.equal(error?.details, {
    route: 'demo',
    declared: 'image/png',
    detected: 'application/zip',
    allowed: ['image'],
  })
  for (const part of ['"cat.png"', 'image/png', 'application/zip', 'takes image']) {
    assert.match(error?.message ?? '', part)
  }
})

verdicts('judges the size, which may not have been known before', () => {
  const demo = subject({ image: { minFileSize: 10, maxFileSize: 20 } })
  const code = (size: number) =>
    checkDetected(demo, { declaredType: 'image/png', name: null, size }, 'image/png')
      .error?.code ?? null
  assert.equal([9, 10, 20, 21].map(code), [
    'FILE_TOO_SMALL',
    null,
    null,
    'FILE_TOO_LARGE',
  ])
})

verdicts('holds a file to the rule of what it is, not of what it said', () => {
  const demo = subject({
    image: { maxFileSize: '1MB', acl: 'public-read' },
    video: { maxFileSize: '100MB' },
  })
  const file = { declaredType: 'video/mp4', name: null, size: 2 * MB }
  const large = checkDetected(demo, file, 'image/png')
  assert.is(large.error?.code, 'FILE_TOO_LARGE')
  assert.is(large.error?.details?.maxFileSize, MB)
  assert.is(large.rule, demo.types.image)
  assert.is(checkDetected(demo, file, 'video/webm').rule, demo.types.video)
})

verdicts('of a route that trusts the client looks at the size only', () => {
  const demo = subject(['image'], { trustedType: 'declared' })
  const file = { declaredType: 'image/png', name: null, size: 10 }
  assert.equal(checkDetected(demo, file, 'application/zip'), {
    error: null,
    contentType: 'image/png',
    rule: demo.types.image,
  })
  assert.is(
    checkDetected(demo, { ...file, size: 5 * MB }, 'image/png').error?.code,
    'FILE_TOO_LARGE',
  )
})

verdicts('of a route that trusts the client falls back to the bytes', () => {
  const demo = subject(['blob'], { trustedType: 'declared' })
  const file = { declaredType: null, name: null, size: 10 }
  assert.is(checkDetected(demo, file, 'image/gif').contentType, 'image/gif')
  assert.is(checkDetected(demo, file, null).contentType, unknown)
})

verdicts.run()
