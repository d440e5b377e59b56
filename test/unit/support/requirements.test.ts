import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { locate, parseSkips, requires } from '../../support/requirements.ts'

const requirements = suite('requirements')

requirements('hand back the suite itself when the part is there', () => {
  const target = suite('target')
  const hint = 'unused'
  assert.is(requires({ name: 'air', find: () => '/air', hint }, target), target)
})

requirements('say where a part is, or how to get it', () => {
  const path = process.env.PATH
  process.env.PATH = ''
  try {
    assert.throws(() => locate('chromium'), /no chromium here: apt-get install chromium/)
  } finally {
    process.env.PATH = path
  }
})

requirements('read back what a file printed about skipped tests', () => {
  const output = [
    '  Skipped:   3',
    '  skipped: chromium (2 tests): apt-get install chromium',
    '  skipped: tmpfs (1 tests): run as root on Linux, allowed to mount',
    'skipped: not ours (1 tests): not indented',
  ].join('\n')
  assert.equal(parseSkips(output), [
    { part: 'chromium', tests: 2, hint: 'apt-get install chromium' },
    { part: 'tmpfs', tests: 1, hint: 'run as root on Linux, allowed to mount' },
  ])
})

requirements.run()
