import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  locate,
  type PartName,
  parseSkips,
  requires,
} from '../../support/requirements.ts'
import { withVariables } from '../../support/variables.ts'

const requirements = suite('requirements')

requirements('hand back the suite itself when the part is there', () => {
  const target = suite('target')
  const hint = 'unused'
  assert.is(requires({ name: 'air', find: () => '/air', hint }, target), target)
})

requirements('say where a part is, or how to get it', async () => {
  await withVariables({ PATH: '' }, () => {
    assert.throws(() => locate('chromium'), /no chromium here: apt-get install chromium/)
  })
})

requirements('take a service of the environment for a program', async () => {
  await withVariables({ CARCOSA_TEST_S3_ENDPOINT: 'https://s3.example' }, () => {
    assert.is(locate('versitygw'), 'https://s3.example')
  })
})

const nothing = {
  CARCOSA_TEST_GCS_ENDPOINT: '',
  CARCOSA_TEST_S3_ENDPOINT: '',
  HOME: '/nonexistent',
  PATH: '',
}

for (const name of ['fake-gcs-server', 'minio', 'versitygw'] as const) {
  requirements(`name the version of ${name} that .ci/run installs`, async () => {
    const script = readFileSync(join(import.meta.dirname, '../../../.ci/run'), 'utf8')
    await withVariables(nothing, () => {
      const [, module, version] = /go install (\S+)@(v[\w.-]*\w)/.exec(hint(name)) ?? []
      assert.ok(script.includes(`go_program ${module} ${version}`), hint(name))
    })
  })
}

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

function hint(name: PartName): string {
  try {
    return locate(name)
  } catch (error) {
    return String(error)
  }
}
