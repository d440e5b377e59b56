import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { describeRouter } from '../../../src/routes/describe.ts'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'

test('a router holds each definition under its name, frozen', () => {
  const { routes } = createRouter({ avatar: route(['image']), 'a-b_9': route(['pdf']) })
  assert.equal(Object.keys(routes), ['avatar', 'a-b_9'])
  assert.is(routes.avatar.name, 'avatar')
  assert.is(routes.avatar.types.image?.maxFileSize, 4 * 1024 * 1024)
  assert.ok(Object.isFrozen(routes))
  assert.ok(Object.isFrozen(routes.avatar))
})

test('a name from a request finds nothing that is not a route', () => {
  const routes: Record<string, unknown> = createRouter({ a: route(['image']) }).routes
  for (const name of ['constructor', 'toString', '__proto__', 'b', '']) {
    assert.is(routes[name], undefined, name)
  }
})

test('constructor is a name like any other', () => {
  const { routes } = createRouter({ constructor: route(['image']) })
  assert.is(routes.constructor.name, 'constructor')
})

for (const name of ['', '1a', '_a', 'a b', 'a/b', 'ä', 'a.b', '../a', 'a'.repeat(65)]) {
  test(`the route name ${JSON.stringify(name.slice(0, 20))} is refused`, () => {
    assert.throws(
      () => createRouter({ [name]: route(['image']) }),
      (error: unknown) =>
        error instanceof TypeError && error.message.includes(JSON.stringify(name)),
    )
  })
}

test('what route() did not make is refused by name', () => {
  const fake = { definition: route(['image']).definition }
  assert.throws(
    () => createRouter({ fake }),
    (error: unknown) =>
      error instanceof TypeError && /"fake".*route\(/.test(error.message),
  )
})

test('a router without routes is refused', () => {
  assert.throws(
    () => createRouter({}),
    (error: unknown) => error instanceof TypeError && /no routes/.test(error.message),
  )
})

test('the description tells limits, never hooks or stores, and survives JSON', () => {
  const router = createRouter({
    avatar: route({ image: { maxFileSize: '1KB', additionalProperties: { width: 9 } } })
      .input(z.object({ secret: z.string() }))
      .middleware(() => ({ secret: 1 }))
      .store('secret'),
    demo: route(['blob'], { awaitServerData: false }).public(),
  })
  const description = describeRouter(router)
  assert.equal(JSON.parse(JSON.stringify(description)), {
    routes: {
      avatar: {
        types: {
          image: {
            maxFileSize: 1024,
            minFileSize: 0,
            maxFileCount: 1,
            minFileCount: 1,
            contentDisposition: 'inline',
            acl: 'private',
            additionalProperties: { width: 9 },
          },
        },
        accept: 'image/*',
        multiple: false,
        awaitServerData: true,
        public: false,
        input: true,
      },
      demo: {
        types: JSON.parse(JSON.stringify(router.routes.demo.types)),
        accept: '',
        multiple: false,
        awaitServerData: false,
        public: true,
        input: false,
      },
    },
  })
  assert.not.match(JSON.stringify(description), 'secret')
})

const accepts: [Parameters<typeof route>[0], string][] = [
  [['image'], 'image/*'],
  [['image', 'video', 'audio', 'text'], 'image/*,video/*,audio/*,text/*'],
  [['pdf'], 'application/pdf'],
  [['image/png', 'pdf'], 'image/png,.png,application/pdf'],
  [['image/tiff'], 'image/tiff,.tiff,.tif'],
  [['application/x-nothing'], 'application/x-nothing'],
  [['image', 'blob'], ''],
  [['image', 'application/octet-stream'], ''],
]
for (const [config, accept] of accepts) {
  test(`${JSON.stringify(config)} is offered as accept="${accept}"`, () => {
    const router = createRouter({ a: route(config) })
    assert.is(describeRouter(router).routes.a?.accept, accept)
  })
}

test('several files may be chosen where a type or two types allow them', () => {
  const multiple = (config: Parameters<typeof route>[0]) =>
    describeRouter(createRouter({ a: route(config) })).routes.a?.multiple
  assert.is(multiple(['image']), false)
  assert.is(multiple({ image: { maxFileCount: 2 } }), true)
  assert.is(multiple(['image', 'pdf']), true)
})

test.run()
